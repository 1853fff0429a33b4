"""The same work as it is usually done, beside this project's way, on one simulated stream after the other.

Freshness: from an event's handing out to the end of the first request that counts it; one client asks every
half second. Answer: what those requests took. Then the producer is killed several times, and at the end
what was handed out is compared with what is counted.
"""

import itertools
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from benchmarks import markdown
from benchmarks.command import LIVE_RATE, end_as_by_ctrl_c, hand_over, parser_of, tell
from benchmarks.figures import Figure, Goal
from benchmarks.freshness.moments import Sighting, first_reaching, percentiles
from benchmarks.freshness.watchers import COUNTED
from benchmarks.machine import this_machine
from benchmarks.naive.producer import USER_AGENT
from benchmarks.naive.systems import Delivered, Naive, System
from harness.processes import wait_until
from harness.simulator import Simulator

SECTION: Final = "naive"
_POLL: Final = 0.5  # seconds
_KILLS: Final = 3
_NOTHING: Final = Goal(0)
_QUIET_FOR: Final = 15.0  # seconds without another change


@dataclass(frozen=True)
class Span:
    """Seconds: what is left out at the beginning, what is measured then, and between two kills."""

    warm_up: float
    measured: float
    between_kills: float


_QUICK: Final = Span(warm_up=5, measured=10, between_kills=3)


@dataclass(frozen=True)
class Result:
    """Of one system. `events`: what the stream had that counts.

    Seconds: `fresh`, one for each event; `answers`, one for each request.
    """

    name: str
    fresh: Sequence[float]
    answers: Sequence[float]
    files_a_minute: float
    events: int
    counted: int

    @property
    def lost(self) -> int:
        return self.events - self.counted


class _Client:
    """Asks for the total again and again, and notes when it saw which."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.sightings: list[Sighting] = []
        self.answers: list[float] = []

    def look(self) -> int:
        began = time.time()
        total = self._system.total() or 0
        ended = time.time()
        self.sightings.append(Sighting(ended, total))
        self.answers.append(ended - began)
        time.sleep(max(0.0, began + _POLL - ended))
        return total

    def watch(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.look()

    def final_total(self) -> int:
        """The total that stays."""
        total, since = self.look(), time.monotonic()
        while time.monotonic() - since < _QUIET_FOR:
            if (now := self.look()) != total:
                total, since = now, time.monotonic()
        return total


def measure(start: Callable[[Path, str], System], span: Span) -> Result:
    """Raises AssertionError when the system doesn't come up."""
    with tempfile.TemporaryDirectory(prefix="naive-") as name, closing(Simulator(Path(name))) as simulator:
        simulator.run_idle()
        with closing(start(Path(name), simulator.url)) as system:
            client = _Client(system)
            began = time.time() + 1
            simulator.run(start=began, rate=LIVE_RATE, events=0)
            wait_until(lambda: client.look() > 0, timeout=300, what=f"{system.name} counts")
            client.watch(span.warm_up)
            measured_from, files = time.time(), system.files()
            client.watch(span.measured)
            measured_to, more_files = time.time(), system.files()
            sightings, answers = list(client.sightings), client.answers[:]
            for _ in range(_KILLS):
                system.restart_producer()
                client.watch(span.between_kills)
            events = int((time.time() - began) * LIVE_RATE)
            simulator.run(start=began, rate=LIVE_RATE, events=events)
            counted = client.final_total()
            _read_all(simulator.url, began, events)
            handed_out = _handed_out(simulator)
            fresh = [
                seen - moment
                for moment, seen in zip(handed_out, first_reaching(sightings, len(handed_out)), strict=True)
                if seen is not None and measured_from <= moment <= measured_to
            ]
            minutes = (measured_to - measured_from) / 60
            return Result(
                system.name, fresh, answers, (more_files - files) / minutes, len(handed_out), counted
            )


def _read_all(stream: str, start: float, events: int) -> None:
    """So that the ledger also has what was handed out to nobody."""
    address = urlsplit(stream)
    with closing(HTTPConnection(address.netloc, timeout=60)) as connection:
        path = f"{address.path}?since={int(start * 1000)}"
        connection.request("GET", path, headers={"User-Agent": USER_AGENT})
        data = (line for line in connection.getresponse() if line.startswith(b"data:"))
        for _ in itertools.islice(data, events):
            pass


def _handed_out(simulator: Simulator) -> list[float]:
    """When each event that counts was handed out, in order."""
    return sorted(
        entry["handed_out"] / 1000
        for entry in simulator.handed_out()
        if entry["domain"] == "en.wikipedia.org" and entry["type"] in COUNTED
    )


def table(results: Sequence[Result]) -> str:
    """A row for each system, as Markdown."""
    return markdown.table(
        [
            "",
            "event → answer p50 / p95 / p99, s",
            "answer p50 / p99, s",
            "files a minute",
            f"events of the stream, with {_KILLS} kills of the producer",
            "not counted",
        ],
        (
            [
                result.name,
                " / ".join(f"{value:.2f}" for value in percentiles(result.fresh)),
                "{:.3f} / {:.3f}".format(*percentiles(result.answers)[::2]),
                f"{result.files_a_minute:,.0f}",
                f"{result.events:,}",
                f"{result.lost:,}",
            ]
            for result in results
        ),
    )


def figures(results: Sequence[Result]) -> Iterator[Figure]:
    for result in results:
        fresh, answer = percentiles(result.fresh), percentiles(result.answers)
        yield Figure(f"{result.name}: event → answer, p50", "s", (fresh.p50,))
        yield Figure(f"{result.name}: event → answer, p99", "s", (fresh.p99,))
        yield Figure(f"{result.name}: answer, p50", "s", (answer.p50,))
        yield Figure(f"{result.name}: answer, p99", "s", (answer.p99,))
        yield Figure(f"{result.name}: files a minute", "files", (result.files_a_minute,))
        yield Figure(
            f"{result.name}: not counted, {_KILLS} kills of the producer",
            "events",
            (result.lost,),
            None if result.name == Naive.name else _NOTHING,
        )


def main() -> int:
    end_as_by_ctrl_c()
    parser = parser_of("naive", __doc__)
    parser.add_argument("--minutes", type=float, default=5, help="before the kills (default %(default)s)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    options = parser.parse_args()
    span = _QUICK if options.quick else Span(warm_up=60, measured=options.minutes * 60, between_kills=10)
    head = f"{this_machine()} {LIVE_RATE} events/s, measured: {span.measured:g} s."
    print(head, flush=True)
    systems: tuple[Callable[[Path, str], System], ...] = (
        Naive,
        partial(Delivered, engine="duckdb"),
        partial(Delivered, engine="spark"),
    )
    results = []
    for start in systems:
        try:
            results.append(measure(start, span))
        except AssertionError as problem:
            print(problem, file=sys.stderr)
            return 1
        print(f"{results[-1].name}: {results[-1].lost} of {results[-1].events} not counted", flush=True)
    tell(f"{head}\n\n{table(results)}", SECTION, write=options.write)
    hand_over("naive", list(figures(results)), options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
