"""SIGKILL at seeded random moments, JVM included, while records come, hours are closed and a reader looks.

On both stores. Of the requests to an object store some fail.
"""

import random
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from pyspark.sql import SparkSession

from consumer import any_reader
from consumer.load import load
from consumer.reader import reader
from consumer.running import TIMEOUT, Consumer, committed_ids, kills, last_batch
from consumer.volumes import gaps_that_a_reader_sees, what_a_reader_sees
from harness.kafka import Broker
from harness.processes import wait_until
from harness.store_proxy import CUT, LOST, REFUSED, StoreProxy
from wiki_common.coverage import Gap
from wiki_common.store.place import Place
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.raw_files import list_raw_files, read_footer

KILLS = 3
# Without a rest, the reader would take one of two cores from the consumer's many starts.
PAUSE_ON_A_DISK = 0.3
PAUSE_IN_A_STORE = 2.0


@pytest.fixture
def proxy(data: Place, request: pytest.FixtureRequest) -> StoreProxy | None:
    """Before an object store, for the consumer alone."""
    return None if isinstance(data, Path) else cast(StoreProxy, request.getfixturevalue("failing_s3"))


def kill_at_random_moments(consumer: Consumer[Place], moments: random.Random, times: int) -> None:
    for _ in range(times):
        before = last_batch(consumer.data)
        process = consumer.start()
        # From the start of the query on: most kills hit a batch, some the recovery of the last.
        consumer.wait_for_line("query started")
        if moments.random() < 0.7:
            consumer.wait_for_batch_after(before)
        time.sleep(moments.uniform(0, 2))
        if moments.random() < 0.3:
            consumer.kill_python_alone()  # its JVM still writes while the next one starts
        else:
            process.kill()


def assert_is_never_set_back(data: Place) -> None:
    """The time up to which everything is counted, from batch to batch."""
    files = [data / "changes" / raw.name for raw in list_raw_files(data / "changes") if not raw.is_part]
    told = [as_of for file in files if (as_of := read_footer(file).coverage.as_of)]
    assert len(told) == len(files)
    assert told == sorted(told)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_kills_lose_and_double_nothing_for_readers_at_any_moment(
    spark: SparkSession,
    broker: Broker,
    topic: str,
    tmp_path: Path,
    data: Place,
    proxy: StoreProxy | None,
    seed: int,
) -> None:
    servers = broker.bootstrap_servers
    times = kills(KILLS)
    # Batches almost without a pause, so that most kills hit one.
    settings = {"MAX_EVENT_AGE": "24h", "TRIGGER_INTERVAL": "400ms"}
    if proxy is not None:
        settings["AWS_ENDPOINT_URL"] = proxy.endpoint
    made = Consumer(tmp_path, servers, topic, data, module="consumer.fast_hours", **settings)
    pause = PAUSE_ON_A_DISK if isinstance(data, Path) else PAUSE_IN_A_STORE
    with closing(made) as consumer, reader(data, pause=pause, others=True) as looking:
        with load(servers, topic, seed) as running:
            kill_at_random_moments(consumer, random.Random(seed), times)
        process = consumer.start()
        consumer.wait_for_ids(running.ids)
        # On a busy machine none may have been closed between the kills.
        wait_until(lambda: bool(ConsumerVolume(data).hours()), timeout=TIMEOUT, what="a closed hour")
        assert process.terminate(60) == 0
    once = dict.fromkeys(running.ids, 1)
    assert committed_ids(data) == once
    assert what_a_reader_sees(data) == once
    if isinstance(data, Path):
        assert any_reader.with_spark(spark, data / "changes") == once
    assert looking.faults == []
    assert looking.looks > times
    assert gaps_that_a_reader_sees(data) == (Gap(None, datetime.fromtimestamp(running.begin, UTC)),)
    assert_is_never_set_back(data)
    assert proxy is None or min(proxy.befell[fault] for fault in (REFUSED, CUT, LOST)) > 0
