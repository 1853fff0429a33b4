"""What a past moment costs over a week, and whether the live page is held up while somebody asks for some.

The volume is as the consumer leaves it, and grows by the same rate. The moments are random ones of the week,
each asked for once, so that no answer is at hand. The live page is asked all the time, in turns with nobody
looking at the past and with one who asks for moment after moment.
"""

import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Final

from benchmarks.all_wikis import growing, volume_of_all
from benchmarks.asking import Asked, ask
from benchmarks.beside import beside
from benchmarks.command import end_as_by_ctrl_c, hand_over, parser_of
from benchmarks.figures import Figure, Goal, together
from benchmarks.machine import this_machine
from benchmarks.parts import memory_bytes
from web.browser.running_web import RunningWeb

_WINDOWS: Final = ("30m", "24h")
_LONGEST_WINDOW: Final = 24  # hours
_PAUSE: Final = 0.1  # seconds between two looks at the live page
_HELD_UP: Final = Goal(1.1)


@dataclass(frozen=True)
class Size:
    """`seconds` that each look takes, and as long as it needs until so many `moments` were answered."""

    days: int
    seconds: int
    moments: int
    turns: int


class LiveFailed(Exception):
    """The live page had no answer: its times say nothing."""


_FULL: Final = Size(days=7, seconds=30, moments=20, turns=2)
_QUICK: Final = Size(days=2, seconds=5, moments=2, turns=1)


def main() -> int:
    end_as_by_ctrl_c()
    parser = parser_of("past", __doc__)
    parser.add_argument(
        "--rate", type=int, default=5, help="changes per second: 5 (default) as English Wikipedia, 40 as all"
    )
    parser.add_argument("--engine", choices=["duckdb", "spark"], default="duckdb")
    options = parser.parse_args()
    size = _QUICK if options.quick else _FULL
    print(f"{this_machine()} {options.engine}, {options.rate} changes/s, {size.days} days.", flush=True)
    with tempfile.TemporaryDirectory(prefix="past-") as name:
        committed = volume_of_all(Path(name, "data"), 24 * size.days, options.rate)
        print("the volume is there", flush=True)
        with growing(committed, options.rate), RunningWeb(Path(name), 2, engine=options.engine) as web:
            web.wait_until_ready()
            found = together(_in_turns(web, size, Random(2)))
    hand_over("past", found, options.json)
    return 0


def _in_turns(web: RunningWeb, size: Size, random: Random) -> Iterator[Figure]:
    _look(web, size.seconds)  # the first requests of a process are slower
    for turn in range(size.turns):
        for window in _WINDOWS:
            alone = _look(web, size.seconds)
            with _asking(web, window, lambda: _moment(random, size.days)) as past:
                meanwhile = _look(web, size.seconds, lambda: len(past) >= size.moments)
            statuses = Counter(each.status for each in past)
            print(f"turn {turn + 1}, {window}: {len(past)} moments, statuses {dict(statuses)}", flush=True)
            answered = [each.seconds for each in past if each.status == 200]
            if len(answered) > 1:  # a window with too many changes is refused
                yield from _of_moments(window, answered)
            yield from _of_the_live_page(window, alone, meanwhile)
            yield Figure("memory of web", "MB", (memory_bytes()["web"] / 1e6,))


def _of_moments(window: str, seconds: list[float]) -> Iterator[Figure]:
    for rank, value in _percentiles(seconds):
        yield Figure(f"a past moment, {window}, p{rank}", "s", (value,))


def _of_the_live_page(window: str, alone: list[float], meanwhile: list[float]) -> Iterator[Figure]:
    for (rank, before), (_, then) in zip(_percentiles(alone), _percentiles(meanwhile), strict=True):
        yield Figure(f"the live page alone, p{rank}", "ms", (before * 1000,))
        yield Figure(f"the live page beside moments of {window}, p{rank}", "ms", (then * 1000,))
        goal = _HELD_UP if rank == 99 else None
        yield Figure(f"beside {window} to alone, p{rank}", "", (then / before,), goal)


def _percentiles(seconds: list[float]) -> list[tuple[int, float]]:
    found = quantiles(seconds, n=100, method="inclusive")
    return [(rank, found[rank - 1]) for rank in (50, 99)]


def _look(web: RunningWeb, seconds: float, is_enough: Callable[[], bool] = lambda: True) -> list[float]:
    """The seconds of each answer of the live page. Raises LiveFailed."""
    answers = []
    until = time.monotonic() + seconds
    while time.monotonic() < until or not is_enough():
        answers.append(ask(web, "/"))
        time.sleep(_PAUSE)
    if any(each.status != 200 for each in answers):
        raise LiveFailed(f"statuses: {dict(Counter(each.status for each in answers))}")
    return [each.seconds for each in answers]


@contextmanager
def _asking(web: RunningWeb, window: str, moment: Callable[[], datetime]) -> Iterator[list[Asked]]:
    """One viewer who asks for moment after moment; what was answered."""
    asked: list[Asked] = []

    def view(ended: threading.Event) -> None:
        while not ended.is_set():
            asked.append(ask(web, f"/api/v1/top?window={window}&to={moment():%Y-%m-%dT%H:%M:%SZ}"))

    with beside(view):
        yield asked


def _moment(random: Random, days: int) -> datetime:
    """One whose longest window is kept as a whole, and that is closed."""
    hours = random.uniform(2, 24 * days - _LONGEST_WINDOW - 1)
    return datetime.now(UTC) - timedelta(hours=hours)


if __name__ == "__main__":
    sys.exit(main())
