"""The query itself, with a real broker: what it says of its batches, and what its state forgets."""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.errors.exceptions.captured import StreamingQueryException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming.query import StreamingQuery

from consumer import topics
from consumer.query.test_changes import AGE, RECORD
from consumer.topics import event
from harness.kafka import Broker
from harness.processes import wait_until
from wiki_common.coverage import Coverage, Gap
from wiki_consumer.kafka import options
from wiki_consumer.query import pipeline
from wiki_consumer.query.progress import Batch, batch_of
from wiki_consumer.query.sink import FolderSink
from wiki_consumer.settings import Settings
from wiki_consumer.volume.as_of import last_as_of
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.publishing import Publish, Publisher
from wiki_consumer.volume.raw_files import list_raw_files, read_footer

PARTITIONS = 2
EACH = 10
EPOCH = "20260131T120000Z"

Record = tuple[dict[str, Any], datetime]
"""A value, and when it was written to the topic."""


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
    publish: Publish | None = None,
) -> Iterator[StreamingQuery]:
    volume = ConsumerVolume(settings.data_dir)
    sink = FolderSink(
        volume,
        EPOCH,
        publish or Publisher(volume),
        max_event_age=settings.max_event_age,
        as_of=last_as_of(volume.changes, list_raw_files(volume.changes)),
    )
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
        sink,
    )
    try:
        yield running
    finally:
        running.stop()


def batches_of(running: StreamingQuery, *, of_kafka: bool = True) -> list[Batch]:
    progress = [json.loads(each.json) for each in running.recentProgress]
    if not of_kafka:
        for source in (source for each in progress for source in each["sources"]):
            source["endOffset"] = None  # a folder of files has no partitions
    batches = map(batch_of, progress)
    return [batch for batch in batches if batch.records]


def test_each_record_is_accounted_for_and_the_lag_is_that_of_all_partitions(
    spark: SparkSession, settings: Settings, writer: topics.Writer, tmp_path: Path
) -> None:
    known = tmp_path / "known-ids.parquet"
    pq.write_table(pa.table({"event_id": [f"event-{number}" for number in range(5)]}), known)
    now = time.time()
    writer.write([event(number) for number in range(30)])
    writer.write([event(29), b"{", event(31, at=now - 3600), event(32, at=now + 3600)])
    for partition in range(PARTITIONS):
        writer.beat(now, partition=partition)
    with started(spark, settings, known_ids=known) as running:
        wait_until(
            lambda: sum(batch.records for batch in batches_of(running)) == 36, timeout=120, what="all is read"
        )
        told = batches_of(running)
    read = 0
    for batch in told:
        read += batch.records
        assert batch.lag_records == 36 - read
        assert batch.clock_skew_seconds == 0
        others = batch.heartbeats + batch.duplicates + batch.late + batch.future + batch.malformed
        assert batch.records == batch.rows + others
    assert sum(batch.rows for batch in told) == 25
    assert sum(batch.duplicates for batch in told) == 6
    assert sum(batch.heartbeats for batch in told) == PARTITIONS
    assert len(told) > 2


def coverages(settings: Settings) -> list[Coverage]:
    changes = settings.data_dir / "changes"
    return [read_footer(changes / raw.name).coverage for raw in list_raw_files(changes) if not raw.is_part]


def test_a_batch_that_a_crash_interrupted_has_the_footer_that_it_would_have_had(
    spark: SparkSession, settings: Settings, writer: topics.Writer
) -> None:
    """However late it runs again, with what was written meanwhile; then the next one goes on from it."""
    now = round(time.time())
    writer.beat(now - 20, covered_from=now - 21)
    writer.write([event(number, at=now - 15) for number in range(3)], at=now - 15)
    attempts: list[Coverage | None] = []

    def crash(name: str, rows: pa.Table, coverage: Coverage | None = None) -> None:
        attempts.append(coverage)
        raise OSError("as if it had been killed")

    with started(spark, settings, publish=crash) as running, pytest.raises(StreamingQueryException):
        running.awaitTermination(60)
    writer.beat(now - 5, covered_from=now - 10, partition=1)
    writer.beat(now)
    with started(spark, settings):
        wait_until(lambda: len(coverages(settings)) == 2, timeout=60, what="both batches are there")
    interrupted, next_one = coverages(settings)
    start, end, begin = (datetime.fromtimestamp(now - ago, UTC) for ago in (15, 10, 21))
    assert [interrupted] == attempts == [Coverage(start, (Gap(None, begin),))]
    assert next_one == Coverage(datetime.fromtimestamp(now, UTC), (Gap(start, end),))


def read_in_batches(
    spark: SparkSession, folder: Path, batches: Sequence[Sequence[Record]]
) -> tuple[list[Batch], list[pa.Table]]:
    """What is told of each batch, and its rows, where the batch's clock is the time of its records."""
    source = folder / "records"
    source.mkdir()
    for number, records in enumerate(batches):
        columns = {
            "value": [json.dumps(value).encode() for value, _ in records],
            "partition": pa.array([0] * len(records), pa.int32()),
            "offset": [number * len(records) + offset for offset in range(len(records))],
            "timestamp": pa.array([at for _, at in records], pa.timestamp("us", "UTC")),
        }
        file = source / f"{number:03d}.parquet"
        pq.write_table(pa.table(columns), file)
        os.utime(file, (number, number))  # the source takes the oldest first
    records_read = spark.readStream.schema(RECORD).option("maxFilesPerTrigger", 1).parquet(str(source))
    written: list[pa.Table] = []
    running = (
        pipeline.transform(records_read, max_event_age=AGE, now=F.col("timestamp"))
        .writeStream.foreachBatch(lambda rows, _: written.append(rows.toArrow()))
        .option("checkpointLocation", str(folder / "checkpoint"))
        .trigger(availableNow=True)
        .start()
    )
    assert running.awaitTermination(120)
    return batches_of(running, of_kafka=False), written


def test_heartbeats_pass_leave_no_state_and_move_no_watermark(spark: SparkSession, tmp_path: Path) -> None:
    """Though they are years ahead of the changes, and have all the same id."""
    start, ahead = datetime(2026, 1, 31, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
    beat = {"meta": {"id": "same", "dt": ahead.isoformat(), "domain": "canary"}}
    changes = [(event(number, at=start.timestamp()), start) for number in range(5)]
    told, written = read_in_batches(spark, tmp_path, [[change, *[(beat, ahead)] * 10] for change in changes])
    assert [(batch.rows, batch.heartbeats, batch.late) for batch in told] == [(1, 10, 0)] * len(changes)
    assert [rows["event_time"].null_count for rows in written] == [10] * len(changes)
    assert {time for rows in written for time in rows["covered_until"].to_pylist()} == {start, ahead}
    assert max(batch.state_rows for batch in told) <= len(changes) + 10


@pytest.mark.slow
def test_the_state_forgets_ids_that_the_watermark_has_passed(spark: SparkSession, tmp_path: Path) -> None:
    """Ten hours of events, one a minute, read as they happen: ids of 80 minutes and two batches are left."""
    minutes, hours = 30, 10
    start = datetime(2026, 1, 31, tzinfo=UTC)
    times = [start + timedelta(minutes=minute) for minute in range(hours * 60)]
    records = [(event(round(time.timestamp()), at=time.timestamp()), time) for time in times]
    told, _ = read_in_batches(
        spark, tmp_path, [records[first : first + minutes] for first in range(0, len(records), minutes)]
    )
    assert sum(batch.rows for batch in told) == hours * 60
    assert max(batch.state_rows for batch in told) <= 80 + 2 * minutes
