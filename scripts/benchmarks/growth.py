"""What age costs: a batch and a refresh on a new volume, and on ones with days of history at the live rate.

All volumes are measured in turns, each of which gives a ratio: the old one's median to the new one's.
"""

import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from statistics import median
from typing import Final

from benchmarks.batches import WARM_UP_BATCHES, Bench, Pace, Target
from benchmarks.command import end_as_by_ctrl_c, hand_over, parser_of
from benchmarks.figures import Figure, Goal, together
from benchmarks.live_volume import an_hour, live_volume
from benchmarks.old_volume import FILES_OF_AN_HOUR, grow_old, open_hour
from benchmarks.refreshes import START, costs_by_window
from harness.kafka import Broker
from wiki_consumer import logs
from wiki_consumer.settings import Settings

GOAL: Final = Goal(1.1)
# English Wikipedia's, and some more.
_RATE: Final = 10
# So that there are rows to copy.
_FIRST_BATCHES: Final = 2
# A new volume has as much as the page's longest window holds, or there would be less to count.
_HOURS_OF_A_NEW_ONE: Final = 25


@dataclass(frozen=True)
class Sizes:
    """How much of everything; `days` of history has each of the old volumes, the last one the most."""

    days: Sequence[int]
    raw_files: int
    warm_up: int
    batches: int
    refreshes: int
    turns: int


FULL: Final = Sizes(days=(7, 30), raw_files=10_000, warm_up=WARM_UP_BATCHES, batches=60, refreshes=5, turns=2)
QUICK: Final = Sizes(
    days=(1, 2), raw_files=FILES_OF_AN_HOUR + 100, warm_up=3, batches=5, refreshes=2, turns=1
)


@dataclass(frozen=True)
class Case:
    """What batches are measured on, and the hour that is closed over and over meanwhile, if one is."""

    target: Target
    closing: datetime | None = None


def of_batches(bench: Bench, sizes: Sizes) -> Iterator[Figure]:
    """Raises NothingClosed."""
    cases = _cases(bench, sizes)
    for turn in range(1, sizes.turns + 1):
        paces = {}
        for what, case in cases.items():
            paces[what] = bench.pace(
                case.target, _RATE, sizes.batches, warm_up=sizes.warm_up, closing=case.closing
            )
            print(f"turn {turn} of {sizes.turns}, batches, {what}: {paces[what]}", flush=True)
        new, *_ = paces.values()
        yield Figure("batch, new", "s", (new.p50,))
        for what, pace in list(paces.items())[1:]:
            yield from ratios(what, pace, new)


def _cases(bench: Bench, sizes: Sizes) -> Mapping[str, Case]:
    """The new volume first."""
    hour = open_hour()
    cases = {"new": Case(bench.new_target())}
    for days in sizes.days:
        cases[f"{days} days"] = Case(bench.new_target())
    for case in cases.values():
        bench.pace(case.target, _RATE, _FIRST_BATCHES, warm_up=0)
    for days in sizes.days:
        print(f"making {days} days of history and {sizes.raw_files} raw files", flush=True)
        volume = cases[f"{days} days"].target.volume
        grow_old(volume, hour, days=days, raw_files=sizes.raw_files)
    oldest = cases[f"{sizes.days[-1]} days"].target
    return cases | {f"{sizes.days[-1]} days, while hours are closed": Case(oldest, hour)}


def ratios(what: str, old: Pace, new: Pace) -> Iterator[Figure]:
    yield Figure(f"batch, {what} : new", "ratio", (old.p50 / new.p50,), GOAL)
    yield Figure(f"slowest batches (p99), {what} : new", "ratio", (old.p99 / new.p99,))
    yield Figure(f"consumer's memory, {what} : new", "ratio", (old.resident / new.resident,), GOAL)


def of_refreshes(folder: Path, sizes: Sizes) -> Iterator[Figure]:
    hour = an_hour(Random(1), _RATE)
    old = {f"{days} days": max(24 * days, _HOURS_OF_A_NEW_ONE) for days in sizes.days}
    volumes = {}
    for what, number in {"new": _HOURS_OF_A_NEW_ONE, **old}.items():
        print(f"making {number} hours for the page", flush=True)
        volumes[what] = live_volume(folder / what, number, hour, _RATE)
    for name, start in START.items():
        engine = start()
        for turn in range(1, sizes.turns + 1):
            milliseconds: dict[str, dict[str, float]] = defaultdict(dict)
            for what, volume in volumes.items():
                for window, costs in costs_by_window(
                    name, engine, volume, refreshes=sizes.refreshes, rate=_RATE
                ):
                    milliseconds[window][what] = median(cost.wall for cost in costs)
            print(f"turn {turn} of {sizes.turns}, refreshes, {name}, ms: {dict(milliseconds)}", flush=True)
            for window, found in milliseconds.items():
                new = found.pop("new")
                yield Figure(f"refresh of {window}, {name}, new", "ms", (new,))
                for what, wall in found.items():
                    yield Figure(f"refresh of {window}, {name}, {what} : new", "ratio", (wall / new,), GOAL)
        engine.close()


def main() -> int:
    end_as_by_ctrl_c()
    options = parser_of("growth", __doc__).parse_args()
    sizes = QUICK if options.quick else FULL
    logs.configure(Settings(log_level="WARNING"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = Broker(folder / "broker")
        try:
            found = [*of_batches(Bench(folder / "growth", broker), sizes)]
        finally:
            broker.close()
        found += of_refreshes(folder / "page", sizes)
    hand_over("growth", together(found), options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
