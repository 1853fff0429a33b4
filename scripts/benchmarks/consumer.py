"""How fast the consumer drains a backlog, how long a batch of the live stream takes, and what age costs.

drain   a backlog with the real sink and with Spark's noop sink, both de-duplicating: records/s, ratio
rates   one-second triggers at a low and a high rate: batch duration, p50 and p99
age     the high rate on an empty volume, on one with days of history and many raw files, and on the same
        while the maintenance closes hours: ratios, each measured in turns
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.batches import Bench, Pace, to_noop, to_parquet, together
from benchmarks.old_volume import FILES_OF_AN_HOUR, grow_old, open_hour
from harness.kafka import Broker
from wiki_consumer import logs
from wiki_consumer.settings import Settings

GOAL_DRAIN_PER_SECOND = 20_000
GOAL_P99_SECONDS = 0.8
GOAL_GROWTH = 1.1
# So that there are rows to copy.
FIRST_BATCHES = 2


@dataclass(frozen=True)
class Sizes:
    """How much of everything. A full run's `batches` are so many that the slowest ones are not chance."""

    backlog: int
    batches: int
    rates: tuple[int, int]
    turns: int
    history_days: int
    raw_files: int


FULL = Sizes(
    backlog=1_000_000,
    batches=240,
    rates=(10, 100),
    turns=2,
    history_days=7,
    raw_files=10_000,
)
QUICK = Sizes(backlog=50_000, batches=10, rates=(10, 50), turns=1, history_days=1, raw_files=4_000)


def _verdict(holds: bool) -> str:
    return "met" if holds else "MISSED"


def drain(bench: Bench, sizes: Sizes) -> None:
    topic = bench.new_place().topic
    bench.write(topic, sizes.backlog)
    real = bench.drain(bench.new_place(topic), sizes.backlog, to_parquet)
    noop = bench.drain(bench.new_place(topic), sizes.backlog, to_noop)
    print(
        f"drain {sizes.backlog} records: {real:,.0f}/s to Parquet, {noop:,.0f}/s to noop,"
        f" ratio {real / noop:.2f}"
        f"  (goal {GOAL_DRAIN_PER_SECOND:,}/s: {_verdict(real >= GOAL_DRAIN_PER_SECOND)})",
        flush=True,
    )


def rates(bench: Bench, sizes: Sizes) -> None:
    for rate in sizes.rates:
        pace = bench.pace(bench.new_place(), rate, sizes.batches)
        _say(f"{rate}/s, 1 s trigger", pace)


def _say(what: str, pace: Pace) -> None:
    print(
        f"{what}: p50 {pace.p50:.3f} s, p99 {pace.p99:.3f} s, {len(pace.seconds)} batches,"
        f" {pace.resident / 1e6:.0f} MB, {pace.records_per_batch:.0f} records and"
        f" {pace.files_per_batch:.2f} files a batch"
        f"  (goal p99 {GOAL_P99_SECONDS} s: {_verdict(pace.p99 <= GOAL_P99_SECONDS)})\n  {pace.cost}",
        flush=True,
    )


def age(bench: Bench, sizes: Sizes) -> None:
    rate = sizes.rates[-1]
    young, old = bench.new_place(), bench.new_place()
    for place in (young, old):
        bench.pace(place, rate, FIRST_BATCHES)
    hour = open_hour()
    grow_old(old.volume, hour, days=sizes.history_days, raw_files=sizes.raw_files)
    cases = {
        "empty volume": (young, None),
        f"{sizes.history_days} days of history, {sizes.raw_files} raw files": (old, None),
        f"the same while an hour of {FILES_OF_AN_HOUR} files is closed over and over": (old, hour),
    }
    measured: dict[str, list[Pace]] = {what: [] for what in cases}
    for turn in range(1, sizes.turns + 1):
        for what, (place, closing) in cases.items():
            pace = bench.pace(place, rate, sizes.batches, closing=closing)
            measured[what].append(pace)
            _say(f"turn {turn} of {sizes.turns}, {what}", pace)
    empty, grown, maintained = (together(paces) for paces in measured.values())
    for what, paces in measured.items():
        _say(what, together(paces))
    _compare("age", grown, empty)
    _compare("maintenance", maintained, grown)


def _compare(what: str, after: Pace, before: Pace) -> None:
    ratios = {
        "p50": after.p50 / before.p50,
        "p99": after.p99 / before.p99,
        "memory": after.resident / before.resident,
        "files": after.files_per_batch / before.files_per_batch,
    }
    shown = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
    met = all(ratio <= GOAL_GROWTH for ratio in ratios.values())
    print(f"ratios of {what}: {shown}  (goal {GOAL_GROWTH}: {_verdict(met)})", flush=True)


PARTS = {"drain": drain, "rates": rates, "age": age}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/bench consumer",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "parts", nargs="*", choices=[*PARTS, []], metavar="part", help="what to measure: all unless given"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    arguments = parser.parse_args()
    sizes = QUICK if arguments.quick else FULL
    logs.configure(Settings(log_level="WARNING"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = Broker(folder / "broker")
        try:
            for part in arguments.parts or PARTS:
                PARTS[part](Bench(folder / part, broker), sizes)
        finally:
            broker.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
