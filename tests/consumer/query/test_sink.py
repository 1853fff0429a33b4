"""A batch becomes files in `changes`, each row in one of them, the last one always there."""

import json
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from consumer.volumes import COLUMNS
from wiki_common.coverage import Coverage
from wiki_common.volume import BatchId
from wiki_consumer.query.sink import BatchFailed, FolderSink, split
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.publishing import LocalPublisher
from wiki_consumer.volume.raw_files import SCHEMA, list_raw_files, read_rows

EPOCH = "20260131T120000Z"
BATCH = BatchId(EPOCH, 7)
CLOCK = datetime(2026, 2, 1, 0, 0, 3, tzinfo=UTC)
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
def batch(spark: SparkSession) -> Callable[[str], DataFrame]:
    def of(event_id: str) -> DataFrame:
        columns = f"{COLUMNS}, ingested_at timestamp, date date"
        row = {"event_id": event_id, "event_time": CLOCK, "ingested_at": CLOCK, "date": FEBRUARY}
        return spark.createDataFrame([row], columns)

    return of


def ids(volume: ConsumerVolume) -> list[str]:
    (raw,) = list_raw_files(volume.changes)
    found: list[str] = read_rows(volume.changes / raw.name)["event_id"].to_pylist()
    return found


def test_a_batch_that_is_there_already_stays_as_it_is(
    volume: ConsumerVolume, batch: Callable[[str], DataFrame]
) -> None:
    """Readers may have it; its second run has the same rows."""
    sink = FolderSink(volume, EPOCH, LocalPublisher(volume))
    sink(batch("first"), 7)
    sink(batch("second"), 7)
    assert ids(volume) == ["first"]


def test_a_batch_that_was_interrupted_between_its_files_is_written_again(
    volume: ConsumerVolume, batch: Callable[[str], DataFrame]
) -> None:
    cut = OSError("no more")

    def fail(name: str, rows: pa.Table, coverage: Coverage | None = None) -> None:
        raise cut

    failing = FolderSink(volume, EPOCH, fail)
    with pytest.raises(BatchFailed, match="batch 7: OSError"):
        failing(batch("first"), 7)
    assert failing.failure is cut
    assert list_raw_files(volume.changes) == []
    FolderSink(volume, EPOCH, LocalPublisher(volume))(batch("second"), 7)
    assert ids(volume) == ["second"]


def test_spark_gets_no_java_stack_trace_back_which_it_could_not_search(
    volume: ConsumerVolume, spark: SparkSession
) -> None:
    """At a stop, which cancels the batch's job, it ended in a StackOverflowError: a thousand lines of log."""
    sink = FolderSink(volume, EPOCH, LocalPublisher(volume))
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
