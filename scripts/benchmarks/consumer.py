"""How fast the consumer drains a backlog, and how long a batch of the live stream takes.

drain   a backlog with the real sink and with Spark's noop sink, both de-duplicating: records/s, ratio
rates   one-second triggers at a low and a high rate: batch duration, p50 and p99

With --cluster instead: the same backlog in twelve partitions, on a Spark cluster of one worker and of two,
with one core each. With --object-store: batches on a disk and in an object store, in turns.
"""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.batches import WARM_UP_BATCHES, Bench, to_noop, to_parquet
from benchmarks.cluster import drains
from benchmarks.command import end_as_by_ctrl_c, hand_over, parser_of
from benchmarks.figures import Figure, Goal
from benchmarks.stores import batches
from harness.kafka import Broker
from wiki_consumer import logs
from wiki_consumer.settings import Settings

GOAL_DRAIN_PER_SECOND: Final = Goal(20_000, at_most=False)
GOAL_P99_SECONDS: Final = Goal(0.8)


@dataclass(frozen=True)
class Sizes:
    """How much of everything. A full run's `batches` are so many that the slowest ones are not chance."""

    backlog: int
    warm_up: int
    batches: int
    rates: tuple[int, int]


FULL: Final = Sizes(backlog=1_000_000, warm_up=WARM_UP_BATCHES, batches=240, rates=(10, 100))
QUICK: Final = Sizes(backlog=50_000, warm_up=3, batches=10, rates=(10, 50))


def drain(bench: Bench, sizes: Sizes) -> Iterator[Figure]:
    topic = bench.new_target().topic
    bench.write(topic, sizes.backlog)
    print(f"{sizes.backlog} records are in the topic", flush=True)
    real = bench.drain(bench.new_target(topic), sizes.backlog, to_parquet)
    yield Figure("drain to Parquet", "records/s", (real,), GOAL_DRAIN_PER_SECOND)
    noop = bench.drain(bench.new_target(topic), sizes.backlog, to_noop)
    yield Figure("drain to noop", "records/s", (noop,))
    yield Figure("drain to Parquet : to noop", "ratio", (real / noop,))


def rates(bench: Bench, sizes: Sizes) -> Iterator[Figure]:
    for rate in sizes.rates:
        pace = bench.pace(bench.new_target(), rate, sizes.batches, warm_up=sizes.warm_up)
        print(f"{rate}/s: {pace}", flush=True)
        yield Figure(f"batch at {rate}/s, p50", "s", (pace.p50,))
        yield Figure(f"batch at {rate}/s, p99", "s", (pace.p99,), GOAL_P99_SECONDS)
        yield Figure(f"batch at {rate}/s, processor time", "CPU s", (pace.cpu_seconds_per_batch,))
        yield Figure(f"memory at {rate}/s", "MB", (pace.resident / 1e6,))


PARTS: Final = {"drain": drain, "rates": rates}


def main() -> int:
    end_as_by_ctrl_c()
    parser = parser_of("consumer", __doc__)
    parser.add_argument(
        "parts", nargs="*", choices=[*PARTS, []], metavar="part", help="what to measure: all unless given"
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--cluster", action="store_true", help="on workers of a cluster")
    instead.add_argument("--object-store", action="store_true", help="beside a disk")
    arguments = parser.parse_args()
    if arguments.parts and (arguments.cluster or arguments.object_store):
        parser.error("--cluster and --object-store have no parts")
    sizes = QUICK if arguments.quick else FULL
    logs.configure(Settings(log_level="WARNING"))
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = Broker(folder / "broker")
        try:
            if arguments.cluster:
                found += drains(folder, broker, sizes.backlog)
            elif arguments.object_store:
                found += batches(folder, broker, sizes.batches // 4, sizes.warm_up)
            else:
                for part in arguments.parts or PARTS:
                    found += PARTS[part](Bench(folder / part, broker), sizes)
        finally:
            broker.close()
    hand_over("consumer", found, arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
