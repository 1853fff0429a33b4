"""How fast the consumer drains a backlog on one worker of a Spark cluster, and on two."""

import os
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

from pyspark.sql import SparkSession

from benchmarks.batches import JARS, Bench, to_parquet
from benchmarks.figures import Figure
from harness.kafka import Broker
from harness.spark_cluster import SparkCluster
from wiki_consumer.query import session
from wiki_consumer.settings import Settings

PARTITIONS: Final = 12
WORKERS: Final = (1, 2)


def drains(folder: Path, broker: Broker, backlog: int) -> Iterator[Figure]:
    """Driver and broker run beside the workers: with fewer than four cores they share them."""
    topic = ""
    found: list[float] = []
    for workers in WORKERS:
        with closing(
            SparkCluster(folder / f"cluster-{workers}", workers=workers, cores=1, java={})
        ) as cluster:
            bench = Bench(
                folder / f"workers-{workers}",
                broker,
                new_session=partial(_session, cluster, workers),
                partitions=PARTITIONS,
            )
            target = bench.new_target(topic or None)
            if not topic:
                topic = target.topic
                bench.write(topic, backlog)
                print(f"{backlog} records are in the topic", flush=True)
            found.append(bench.drain(target, backlog, to_parquet))
        yield Figure(f"drain on {workers} of one core, {PARTITIONS} partitions", "records/s", (found[-1],))
    yield Figure(f"drain on {WORKERS[1]} : on {WORKERS[0]}", "ratio", (found[1] / found[0],))


def _session(cluster: SparkCluster, cores: int) -> SparkSession:
    """As the service starts it, with `cores` parts of the state."""
    os.environ.update(cluster.settings)
    settings = Settings(spark_cores_max=cores)
    return session.start(
        settings.spark_master,
        JARS,
        shuffle_partitions=session.state_partitions(settings.spark_master, cores),
        cluster=settings.cluster_config(),
    )
