"""A batch becomes files in `changes`, each row in one of them, the last one always there."""

import json
import shutil
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from consumer.any_reader import with_duckdb, with_pyarrow, with_spark
from consumer.volumes import COLUMNS
from wiki_common.coverage import Coverage, Gap
from wiki_common.volume import BatchId
from wiki_consumer.query.changes import COVERAGE_COLUMNS
from wiki_consumer.query.sink import BatchFailed, FolderSink, split
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.publishing import Publish, Publisher
from wiki_consumer.volume.raw_files import SCHEMA, list_raw_files, read_footer, read_rows

EPOCH = "20260131T120000Z"
BATCH = BatchId(EPOCH, 7)
CLOCK = datetime(2026, 2, 1, 0, 0, 3, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
JANUARY, FEBRUARY = date(2026, 1, 31), date(2026, 2, 1)


def rows(*dates: date) -> pa.Table:
    table = pa.Table.from_pylist([{"event_id": f"{number}"} for number in range(len(dates))], schema=SCHEMA)
    return table.append_column("date", pa.array(dates, pa.date32()))


def files(*dates: date) -> dict[str, list[str]]:
    return {raw.name: part["event_id"].to_pylist() for raw, part in split(rows(*dates), BATCH, CLOCK)}


def test_the_file_of_the_clocks_date_comes_last() -> None:
    assert list(files(FEBRUARY, JANUARY, FEBRUARY).items()) == [
        (f"date=2026-01-31/{EPOCH}-0000000007-part.parquet", ["1"]),
        (f"date=2026-02-01/{EPOCH}-0000000007.parquet", ["0", "2"]),
    ]


def test_it_is_there_without_rows() -> None:
    assert files() == {f"date=2026-02-01/{EPOCH}-0000000007.parquet": []}
    assert list(files(JANUARY)) == [
        f"date=2026-01-31/{EPOCH}-0000000007-part.parquet",
        f"date=2026-02-01/{EPOCH}-0000000007.parquet",
    ]
    for _, part in split(rows(JANUARY), BATCH, CLOCK):
        assert part.schema.equals(SCHEMA)


@pytest.fixture
def volume(tmp_path: Path) -> ConsumerVolume:
    """With a checkpoint that planned batch 7."""
    made = ConsumerVolume(tmp_path)
    planned = made.checkpoint / "offsets/7"
    planned.parent.mkdir(parents=True)
    planned.write_text("v1\n" + json.dumps({"batchTimestampMs": round(CLOCK.timestamp() * 1000)}) + "\n{}")
    return made


@pytest.fixture
def batch(spark: SparkSession) -> Callable[..., DataFrame]:
    def of(event_id: str, *days: date, until: datetime = CLOCK) -> DataFrame:
        columns = f"{COLUMNS}, ingested_at timestamp, date date"
        columns += "".join(f", {name} timestamp" for name in COVERAGE_COLUMNS)
        told = {"covered_until": until, "recorded_at": until}
        changes = [
            {"event_id": event_id, "event_time": CLOCK, "ingested_at": CLOCK, "date": day, **told}
            for day in days or (FEBRUARY,)
        ]
        beat = {"event_id": "heartbeat-0-1", "covered_until": until + SECOND, "recorded_at": until + SECOND}
        return spark.createDataFrame([*changes, beat], columns)

    return of


def sink_of(volume: ConsumerVolume, publish: Publish | None = None, **options: Any) -> FolderSink:
    return FolderSink(volume, EPOCH, publish or Publisher(volume), max_event_age=30 * MINUTE, **options)


def ids(volume: ConsumerVolume) -> list[str]:
    (raw,) = list_raw_files(volume.changes)
    found: list[str] = read_rows(volume.changes / raw.name)["event_id"].to_pylist()
    return found


def coverage(volume: ConsumerVolume) -> Coverage:
    """As the batch's last file tells it."""
    return read_footer(volume.changes / list_raw_files(volume.changes)[-1].name).coverage


def test_heartbeats_are_no_rows_and_the_footer_tells_of_them(
    volume: ConsumerVolume, spark: SparkSession, batch: Callable[..., DataFrame]
) -> None:
    told: list[Coverage] = []
    sink = sink_of(volume, as_of=CLOCK - MINUTE, on_coverage=told.append)
    sink(batch("a"), 7)
    assert ids(volume) == ["a"]
    assert coverage(volume) == Coverage(CLOCK + SECOND)
    assert told == [coverage(volume)]
    for others in (with_duckdb, with_pyarrow, partial(with_spark, spark)):
        assert others(volume.changes) == {"a": 1}


def test_of_a_batch_of_two_dates_the_last_file_alone_tells(
    volume: ConsumerVolume, batch: Callable[..., DataFrame]
) -> None:
    sink_of(volume, as_of=CLOCK - MINUTE)(batch("a", JANUARY, FEBRUARY), 7)
    part, last = (read_footer(volume.changes / raw.name).coverage for raw in list_raw_files(volume.changes))
    assert (part, last) == (Coverage(), Coverage(CLOCK + SECOND))


def test_what_is_counted_goes_on_from_batch_to_batch(
    volume: ConsumerVolume, batch: Callable[..., DataFrame]
) -> None:
    shutil.copy(volume.checkpoint / "offsets/7", volume.checkpoint / "offsets/8")
    sink = sink_of(volume)
    sink(batch("a"), 7)
    assert coverage(volume) == Coverage(CLOCK + SECOND, (Gap(None, CLOCK - 30 * MINUTE),))
    sink(batch("b", until=CLOCK - MINUTE), 8)
    assert coverage(volume) == Coverage(CLOCK + SECOND)


def test_a_batch_that_is_run_again_has_the_same_footer_and_the_next_one_goes_on_from_it(
    volume: ConsumerVolume, batch: Callable[..., DataFrame]
) -> None:
    """Whether the crash came before its file was there or after it, and though that file can't be read."""
    before = CLOCK - timedelta(hours=2)
    uninterrupted = Coverage(CLOCK + SECOND, (Gap(before, CLOCK - 30 * MINUTE),))

    def fail(name: str, rows: pa.Table, coverage: Coverage | None = None) -> None:
        raise OSError("no more")

    sink = sink_of(volume, fail, as_of=before)
    with pytest.raises(BatchFailed):
        sink(batch("a"), 7)
    for as_of in (before, CLOCK + SECOND, before):  # as a start finds it in the newest file that it can read
        sink = sink_of(volume, as_of=as_of)
        sink(batch("a"), 7)
        assert coverage(volume) == uninterrupted
    shutil.copy(volume.checkpoint / "offsets/7", volume.checkpoint / "offsets/8")
    sink(batch("b", until=CLOCK - MINUTE), 8)
    assert coverage(volume) == Coverage(CLOCK + SECOND)


def test_a_batch_that_is_there_already_stays_as_it_is(
    volume: ConsumerVolume, batch: Callable[..., DataFrame]
) -> None:
    """Readers may have it; its second run has the same rows."""
    sink = sink_of(volume)
    sink(batch("first"), 7)
    sink(batch("second"), 7)
    assert ids(volume) == ["first"]


def test_a_batch_before_the_next_one_is_not_taken(
    volume: ConsumerVolume, batch: Callable[..., DataFrame]
) -> None:
    shutil.copy(volume.checkpoint / "offsets/7", volume.checkpoint / "offsets/6")
    sink = sink_of(volume, next_batch=7)
    sink(batch("a"), 7)
    with pytest.raises(BatchFailed, match="batch 6: OSError"):
        sink(batch("b"), 6)
    assert ids(volume) == ["a"]


def test_a_batch_that_was_interrupted_between_its_files_is_written_again(
    volume: ConsumerVolume, batch: Callable[..., DataFrame]
) -> None:
    cut = OSError("no more")

    def fail(name: str, rows: pa.Table, coverage: Coverage | None = None) -> None:
        raise cut

    failing = sink_of(volume, fail)
    with pytest.raises(BatchFailed, match="batch 7: OSError"):
        failing(batch("first"), 7)
    assert failing.failure is cut
    assert list_raw_files(volume.changes) == []
    sink_of(volume)(batch("second"), 7)
    assert ids(volume) == ["second"]


def test_spark_gets_no_java_stack_trace_back_which_it_could_not_search(
    volume: ConsumerVolume, spark: SparkSession
) -> None:
    """At a stop, which cancels the batch's job, it ended in a StackOverflowError: a thousand lines of log."""
    sink = sink_of(volume)
    ended = threading.Event()

    def cancel() -> None:
        while not ended.wait(0.2):
            spark.sparkContext.cancelAllJobs()

    cancelling = threading.Thread(target=cancel)
    cancelling.start()
    try:
        with pytest.raises(BatchFailed) as raised:
            sink(spark.range(10**13).selectExpr("sum(hash(id)) AS n"), 7)
    finally:
        ended.set()
        cancelling.join()
    assert "cancelled" in str(sink.failure)
    assert "An error occurred while calling" not in "".join(traceback.format_exception(raised.value))
