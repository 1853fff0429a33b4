"""The query itself, with a real broker: what it says of its batches, and what its state forgets."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming.query import StreamingQuery

from consumer import topics
from consumer.topics import event
from harness.kafka import Broker
from harness.processes import wait_until
from wiki_consumer.kafka import options
from wiki_consumer.query import pipeline
from wiki_consumer.query.progress import Batch, batch_of
from wiki_consumer.query.sink import FolderSink
from wiki_consumer.settings import Settings
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.publishing import LocalPublisher

PARTITIONS = 2
EACH = 10
EPOCH = "20260131T120000Z"


@pytest.fixture
def settings(broker: Broker, new_topic_name: Callable[[], str], tmp_path: Path) -> Settings:
    made = Settings(
        kafka_bootstrap_servers=broker.bootstrap_servers,
        kafka_topic=new_topic_name(),
        data_dir=tmp_path / "data",
        max_offsets_per_trigger=EACH,
        trigger_interval=timedelta(milliseconds=100),
    )
    topics.create(broker.bootstrap_servers, made.kafka_topic, partitions=PARTITIONS)
    return made


@pytest.fixture
def writer(settings: Settings) -> Iterator[topics.Writer]:
    made = topics.Writer(settings.kafka_bootstrap_servers, settings.kafka_topic)
    yield made
    made.close()


@contextmanager
def started(
    spark: SparkSession,
    settings: Settings,
    *,
    known_ids: Path | None = None,
) -> Iterator[StreamingQuery]:
    volume = ConsumerVolume(settings.data_dir)
    session = spark.newSession()  # with settings of its own
    running = pipeline.start(
        session,
        pipeline.Query(
            source=options.source_options(settings),
            checkpoint=volume.checkpoint,
            max_event_age=settings.max_event_age,
            trigger_interval=settings.trigger_interval,
            known_ids=known_ids,
        ),
        FolderSink(volume, EPOCH, LocalPublisher(volume)),
    )
    try:
        yield running
    finally:
        running.stop()


def batches(running: StreamingQuery) -> list[Batch]:
    progress = [batch_of(json.loads(each.json)) for each in running.recentProgress]
    return [batch for batch in progress if batch.records]


def test_each_record_is_accounted_for_and_the_lag_is_that_of_all_partitions(
    spark: SparkSession, settings: Settings, writer: topics.Writer, tmp_path: Path
) -> None:
    known = tmp_path / "known-ids.parquet"
    pq.write_table(pa.table({"event_id": [f"event-{number}" for number in range(5)]}), known)
    now = time.time()
    writer.write([event(number) for number in range(30)])
    writer.write([event(29), b"{", event(31, at=now - 3600), event(32, at=now + 3600)])
    with started(spark, settings, known_ids=known) as running:
        wait_until(
            lambda: sum(batch.records for batch in batches(running)) == 34, timeout=120, what="all is read"
        )
        told = batches(running)
    read = 0
    for batch in told:
        read += batch.records
        assert batch.lag_records == 34 - read
        assert batch.clock_skew_seconds == 0
        others = batch.duplicates + batch.late + batch.future + batch.malformed
        assert batch.records == batch.rows + others
    assert sum(batch.rows for batch in told) == 25
    assert sum(batch.duplicates for batch in told) == 6
    assert len(told) > 2


@pytest.mark.slow
def test_the_state_forgets_ids_that_the_watermark_has_passed(spark: SparkSession, tmp_path: Path) -> None:
    """Ten hours of events, one a minute, read as they happen: ids of 80 minutes and two batches are left."""
    age, minutes, hours = timedelta(minutes=30), 30, 10
    start = datetime(2026, 1, 31, tzinfo=UTC)
    source = tmp_path / "records"
    source.mkdir()
    for batch in range(hours * 60 // minutes):
        times = [start + timedelta(minutes=batch * minutes + minute) for minute in range(minutes)]
        events = [event(round(time.timestamp()), at=time.timestamp()) for time in times]
        records = {
            "value": [json.dumps(each).encode() for each in events],
            "partition": pa.array([0] * minutes, pa.int32()),
            "offset": [batch * minutes + minute for minute in range(minutes)],
            "timestamp": pa.array(times, pa.timestamp("us", "UTC")),
        }
        file = source / f"{batch:03d}.parquet"
        pq.write_table(pa.table(records), file)
        os.utime(file, (batch, batch))  # the source takes the oldest first
    schema = "value binary, partition int, offset long, timestamp timestamp"
    records_read = spark.readStream.schema(schema).option("maxFilesPerTrigger", 1).parquet(str(source))
    changes = pipeline.transform(records_read, max_event_age=age, now=F.col("timestamp"))
    running = (
        changes.writeStream.format("noop")
        .option("checkpointLocation", str(tmp_path / "checkpoint"))
        .trigger(availableNow=True)
        .start()
    )
    assert running.awaitTermination(120)
    states = [json.loads(each.json)["stateOperators"][0]["numRowsTotal"] for each in running.recentProgress]
    rows = [each.observedMetrics[pipeline.OUT]["rows"] for each in running.recentProgress]
    assert sum(rows) == hours * 60
    assert max(states) <= 80 + 2 * minutes
