"""The files of the consumer's state stay few: Spark keeps snapshots of it, and deletes what is older."""

from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import cast

import pytest

from consumer import topics
from consumer.running import TIMEOUT, Consumer
from consumer.topics import event
from harness.kafka import Broker
from harness.processes import wait_until
from harness.store_proxy import StoreProxy
from wiki_common.store.place import Place

BATCHES = 40
"""Spark keeps thirty and some, and more come until it has deleted one."""
FAILED = "error while performing maintenance"

pytestmark = pytest.mark.slow


def state_files(data: Place, kind: str) -> list[int]:
    """The batches that have a file of this kind."""
    return sorted(
        int(file.name.removesuffix(kind))
        for file in (data / "checkpoints/changes/state/0/0").iterdir()
        if file.name.endswith(kind)
    )


def goes_on_until(writer: topics.Writer, holds: Callable[[], bool], *, what: str) -> None:
    """Spark looks after its state while batches come: a record each time that `holds` is asked."""
    later = count(BATCHES)

    def went_on() -> bool:
        writer.write([event(next(later))])
        return holds()

    wait_until(went_on, timeout=TIMEOUT / 3, what=what, every=0.3)


@pytest.fixture
def new_consumer(
    broker: Broker, topic: str, writer: topics.Writer, tmp_path: Path, ending: ExitStack
) -> Callable[..., Consumer[Place]]:
    """One that has records for some forty batches to begin with."""
    # Spark looks after its state once a minute; the tests don't wait for so long.
    conf = "spark.sql.streaming.stateStore.maintenanceInterval 2s"
    (tmp_path / "spark-defaults.conf").write_text(conf, encoding="utf-8")
    writer.write(event(number) for number in range(BATCHES))

    def made(data: Place, **settings: str) -> Consumer[Place]:
        consumer = Consumer(
            tmp_path,
            broker.bootstrap_servers,
            topic,
            data,
            SPARK_CONF_DIR=str(tmp_path),
            MAX_OFFSETS_PER_TRIGGER="1",
            TRIGGER_INTERVAL="100ms",
            **settings,
        )
        ending.callback(consumer.close)
        return consumer

    return made


def test_snapshots_of_the_state_are_kept_and_older_files_go(
    new_consumer: Callable[..., Consumer[Place]],
    writer: topics.Writer,
    data: Place,
    request: pytest.FixtureRequest,
) -> None:
    """Of an object store that refuses them at first, which is told with its reason."""
    if isinstance(data, Path):
        consumer = new_consumer(data)
        process = consumer.start()
    else:
        store = cast(StoreProxy, request.getfixturevalue("failing_s3"))
        store.faults = {}
        store.refused = "/SSTs/"
        consumer = new_consumer(data, AWS_ENDPOINT_URL=store.endpoint)
        process = consumer.start()
        consumer.wait_for_line(FAILED)
        store.refused = ""
    consumer.wait_for_ids({f"event-{number}" for number in range(BATCHES)})
    goes_on_until(
        writer,
        lambda: bool(state_files(data, ".zip")) and state_files(data, ".changelog")[0] > 1,
        what="older files have gone",
    )
    assert process.terminate(60) == 0
    failures = [line for line in consumer.output().splitlines() if FAILED in line]
    assert bool(failures) is not isinstance(data, Path)
    assert all("503" in line for line in failures)
