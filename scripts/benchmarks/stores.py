"""How long the consumer's batches take on a disk, and in an object store on the same machine, in turns."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from pyspark.sql import SparkSession

from benchmarks.batches import JARS, Bench
from benchmarks.figures import Figure
from harness.kafka import Broker
from harness.object_store import object_store
from wiki_common.store.place import Place
from wiki_consumer.query import session

ROUNDS: Final = 3
RATE: Final = 10


def batches(folder: Path, broker: Broker, number: int, warm_up: int) -> Iterator[Figure]:
    """The store is moto's server, which answers from memory, beside Spark on its cores."""
    with object_store(folder / "store.log") as store:
        os.environ.update(store.environment())
        places: dict[str, Place] = {"on a disk": folder, "in an object store": store.path("bench")}
        p50s, p99s = ({where: list[float]() for where in places} for _ in range(2))
        for turn in range(ROUNDS):
            for where, data_dir in places.items():
                bench = Bench[Place](
                    data_dir / f"{where.replace(' ', '-')}-{turn}",
                    broker,
                    new_session=partial(_session, data_dir),
                )
                pace = bench.pace(bench.new_target(), RATE, number, warm_up=warm_up)
                print(f"{where}: {pace}", flush=True)
                p50s[where].append(pace.p50)
                p99s[where].append(pace.p99)
    for where in places:
        yield Figure(f"batch at {RATE}/s {where}, p50", "s", tuple(p50s[where]))
        yield Figure(f"batch at {RATE}/s {where}, p99", "s", tuple(p99s[where]))
    pairs = zip(*p50s.values(), strict=True)
    yield Figure(
        "batch in an object store : on a disk, p50", "ratio", tuple(there / here for here, there in pairs)
    )


def _session(data_dir: Place) -> SparkSession:
    return session.start("local[2]", JARS, shuffle_partitions=1, data_dir=data_dir)
