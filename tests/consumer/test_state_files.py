"""The state has few files in a store too: Spark keeps snapshots of it, and deletes what is older."""

from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from consumer import topics
from consumer.running import TIMEOUT, Consumer
from consumer.topics import event
from harness.kafka import Broker
from harness.processes import wait_until
from harness.store_proxy import StoreProxy
from wiki_common.store.objects import ObjectPath

BATCHES = 40
"""Spark keeps thirty and some, and more come until it has deleted one."""
FAILED = "error while performing maintenance"

pytestmark = pytest.mark.slow


def state_files(data: ObjectPath, kind: str) -> list[int]:
    """The batches that have a file of this kind."""
    return sorted(
        int(file.name.removesuffix(kind))
        for file in (data / "checkpoints/changes/state/0/0").iterdir()
        if file.name.endswith(kind)
    )


def test_snapshots_that_a_store_refuses_are_told_and_once_it_takes_them_older_files_go(
    broker: Broker,
    topic: str,
    writer: topics.Writer,
    tmp_path: Path,
    s3_folder: ObjectPath,
    failing_s3: StoreProxy,
) -> None:
    # Spark looks after its state once a minute; the test doesn't wait for so long.
    conf = "spark.sql.streaming.stateStore.maintenanceInterval 2s"
    (tmp_path / "spark-defaults.conf").write_text(conf, encoding="utf-8")
    writer.write(event(number) for number in range(BATCHES))
    failing_s3.faults = {}
    failing_s3.refused = "/SSTs/"
    settings = {
        "AWS_ENDPOINT_URL": failing_s3.endpoint,
        "SPARK_CONF_DIR": str(tmp_path),
        "MAX_OFFSETS_PER_TRIGGER": "1",
        "TRIGGER_INTERVAL": "100ms",
    }
    later = count(BATCHES)

    def has_shrunk() -> bool:
        # Spark looks after its state while batches come.
        writer.write([event(next(later))])
        return bool(state_files(s3_folder, ".zip")) and state_files(s3_folder, ".changelog")[0] > 1

    with closing(Consumer(tmp_path, broker.bootstrap_servers, topic, s3_folder, **settings)) as consumer:
        process = consumer.start()
        consumer.wait_for_line(FAILED)
        failing_s3.refused = ""
        consumer.wait_for_ids({f"event-{number}" for number in range(BATCHES)})
        wait_until(has_shrunk, timeout=TIMEOUT / 3, what="older files have gone", every=0.3)
        assert process.terminate(60) == 0
    failures = [line for line in consumer.output().splitlines() if FAILED in line]
    assert all("503" in line for line in failures)
