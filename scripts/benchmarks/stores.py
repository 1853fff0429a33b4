"""How long the consumer's batches take on a disk, and in an object store on the same machine, in turns."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.batches import Bench, Pace, on_this_machine
from benchmarks.figures import Figure
from harness.kafka import Broker
from harness.object_store import object_store
from wiki_common.store.place import Place

ROUNDS: Final = 3
RATE: Final = 10


def batches(folder: Path, broker: Broker, number: int, warm_up: int) -> Iterator[Figure]:
    """The store is moto's server, which answers from memory, beside Spark on its cores."""
    with object_store(folder / "store.log") as store:
        os.environ.update(store.environment())
        places: dict[str, Place] = {"on a disk": folder, "in an object store": store.path("bench")}
        paces = {where: list[Pace]() for where in places}
        for turn in range(ROUNDS):
            for where, data_dir in places.items():
                bench = Bench[Place](
                    data_dir / f"{where.replace(' ', '-')}-{turn}",
                    broker,
                    new_session=partial(on_this_machine, data_dir),
                )
                pace = bench.pace(bench.new_target(), RATE, number, warm_up=warm_up)
                print(f"{where}: {pace}", flush=True)
                paces[where].append(pace)
    for where, seen in paces.items():
        yield Figure(f"batch at {RATE}/s {where}, p50", "s", tuple(pace.p50 for pace in seen))
        yield Figure(f"batch at {RATE}/s {where}, p99", "s", tuple(pace.p99 for pace in seen))
    ratios = (there.p50 / here.p50 for here, there in zip(*paces.values(), strict=True))
    yield Figure("batch in an object store : on a disk, p50", "ratio", tuple(ratios))
