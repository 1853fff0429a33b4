"""The history's files: as Spark would have written them, each row once, verified before they are seen."""

import os
import resource
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from consumer.volumes import CLOSED, HISTORY_END, Volume, ignore, read_ids
from wiki_common.coverage import COVERAGE_KEY, Coverage, Gap
from wiki_common.volume import HISTORY_FILE, HOUR
from wiki_consumer.volume.history import History, VerificationFailed
from wiki_consumer.volume.raw_files import UnreadableFile, read_footer

HOUR_22, HOUR_23, HOUR_00 = CLOSED[:3]


def test_has_the_schema_of_the_raw_files(volume: Volume) -> None:
    volume.history.write(HOUR_22, volume.raw_files())

    raw = pq.ParquetFile(volume.raw_files()[0])
    written = pq.ParquetFile(volume.folders.hour_file(HOUR_22))
    assert written.schema.equals(raw.schema)
    assert written.schema_arrow.names[-1] == "ingested_at"
    # Nothing else, such as Arrow's own schema, which other readers don't know.
    assert written.metadata.metadata.keys() == {COVERAGE_KEY.encode()}


def test_spark_reads_it_as_it_reads_the_raw_files(volume: Volume, spark: SparkSession) -> None:
    for hour in CLOSED:
        volume.history.write(hour, volume.raw_files())

    raw = spark.read.parquet(str(volume.changes)).drop("date")
    compacted = spark.read.parquet(str(volume.path / "history")).drop("date", "hour")
    assert compacted.dtypes == raw.dtypes
    closed = raw.where(F.col("event_time") < F.lit(HISTORY_END)).orderBy("event_id")
    assert compacted.orderBy("event_id").collect() == closed.collect()


def test_is_sorted_and_says_so_and_has_statistics(volume: Volume) -> None:
    volume.history.write(HOUR_22, volume.raw_files())

    file = pq.ParquetFile(volume.folders.hour_file(HOUR_22))
    times = file.read()["event_time"].to_pylist()
    group = file.metadata.row_group(0)
    assert times == sorted(times)
    assert [column.column_index for column in group.sorting_columns] == [1]
    assert (group.column(1).statistics.min, group.column(1).statistics.max) == (times[0], times[-1])
    assert group.column(0).compression == "ZSTD"


def test_holds_the_rows_of_its_hour_only(volume: Volume) -> None:
    written = volume.history.write(HOUR_22, volume.raw_files())

    assert written is not None
    assert written.rows == 4
    assert Counter(read_ids(volume.folders.hour_file(HOUR_22))) == Counter(["0-0", "0-1", "1-0", "0-2"])


def test_an_hour_without_rows_gets_no_file(volume: Volume) -> None:
    assert volume.history.write(HOUR_22 + timedelta(days=1), volume.raw_files()) is None
    assert volume.folders.hours() == []


def test_counts_an_event_once_however_many_files_hold_it(volume: Volume) -> None:
    volume.history.write(HOUR_22, volume.raw_files())
    again = volume.history.write(HOUR_22, volume.raw_files() * 2)

    assert again is not None
    assert (again.rows, again.duplicates) == (4, 8)
    assert Counter(read_ids(volume.folders.hour_file(HOUR_22))) == Counter(["0-0", "0-1", "1-0", "0-2"])


def test_adds_to_what_the_hour_has(volume: Volume) -> None:
    volume.history.write(HOUR_22, [volume.raw_file_with("1-0")])
    volume.history.write(HOUR_22, [volume.raw_file_with("0-0")])

    assert read_ids(volume.folders.hour_file(HOUR_22)) == ["0-0", "0-1", "1-0", "0-2"]


def test_its_footer_has_the_gaps_and_those_that_it_had(volume: Volume) -> None:
    first, second = Gap(None, HOUR_22), Gap(HOUR_22 + HOUR / 4, HOUR_22 + HOUR / 2)
    assert volume.history.gaps() == ()
    volume.history.write(HOUR_22, volume.raw_files(), [first])
    assert read_footer(volume.folders.hour_file(HOUR_22)).coverage == Coverage(gaps=(first,))
    volume.history.write(HOUR_22, volume.raw_files(), [second])
    assert read_footer(volume.folders.hour_file(HOUR_22)).coverage == Coverage(gaps=(first, second))
    volume.history.write(HOUR_23, volume.raw_files())
    assert read_footer(volume.folders.hour_file(HOUR_23)).coverage == Coverage()
    assert volume.history.gaps() == (first, second)
    os.truncate(volume.folders.hour_file(HOUR_22), 100)
    assert volume.history.gaps() == ()


def test_takes_files_from_before_a_column_was_added(volume: Volume) -> None:
    old = volume.raw_file_with("0-0")
    rows = pq.ParquetFile(old).read()
    pq.write_table(rows.drop_columns(["diff_url"]), old)
    before = rows.schema

    volume.history.write(HOUR_22, [old, volume.raw_file_with("1-0")])

    assert pq.ParquetFile(volume.folders.hour_file(HOUR_22)).schema_arrow.names == before.names


def test_ends_with_its_last_hour(volume: Volume) -> None:
    assert volume.folders.history_end() is None

    for hour in (HOUR_00, HOUR_22):
        volume.history.write(hour, volume.raw_files())

    assert volume.folders.hours() == [HOUR_22, HOUR_00]
    assert volume.folders.history_end() == datetime(2026, 2, 1, 1, tzinfo=UTC)


def test_other_folders_are_no_hours(volume: Volume) -> None:
    volume.history.write(HOUR_22, volume.raw_files())
    date = f"date={HOUR_22:%Y-%m-%d}"
    for name in (f"{date}.bak/hour=22", f"{date}/hour=9", "date=foo/hour=22"):
        copy = volume.path / "history" / name / HISTORY_FILE
        copy.parent.mkdir(parents=True)
        copy.touch()
    assert volume.folders.hours() == [HOUR_22]
    assert volume.folders.history_end() == HOUR_22 + HOUR


def test_what_reads_back_differently_is_not_published(volume: Volume) -> None:
    def damage(step: str) -> None:
        if step == "history file written":
            [file] = (volume.path / "history/.writing").iterdir()
            content = bytearray(file.read_bytes())
            content[40] ^= 0xFF
            file.write_bytes(content)

    with pytest.raises(VerificationFailed):
        History(volume.folders, damage).write(HOUR_22, volume.raw_files())

    assert volume.folders.hours() == []


def test_a_row_that_got_lost_on_the_way_is_noticed(volume: Volume) -> None:
    def lose_the_last(step: str) -> None:
        if step == "history file written":
            [file] = (volume.path / "history/.writing").iterdir()
            with pq.ParquetFile(file) as parquet:
                rows, footer = parquet.read(), parquet.metadata.metadata
            with pq.ParquetWriter(file, rows.schema) as writer:
                writer.write_table(rows.slice(0, rows.num_rows - 1))
                writer.add_key_value_metadata(footer)

    with pytest.raises(VerificationFailed, match="3 rows with 3 ids, not the 4 ids expected"):
        History(volume.folders, lose_the_last).write(HOUR_22, volume.raw_files())

    assert volume.folders.hours() == []


def test_a_coverage_that_reads_back_differently_is_not_published(
    volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Coverage, "in_footer", lambda coverage: {"another": coverage.to_json()})

    with pytest.raises(VerificationFailed, match="coverage"):
        volume.history.write(HOUR_22, volume.raw_files(), [Gap(None, HOUR_22)])

    assert volume.folders.hours() == []


def test_a_full_disk_leaves_what_was_there(volume: Volume) -> None:
    volume.history.write(HOUR_22, [volume.raw_file_with("1-0")])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            volume.history.write(HOUR_22, volume.raw_files())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert read_ids(volume.folders.hour_file(HOUR_22)) == ["1-0"]
    assert volume.history.write(HOUR_22, volume.raw_files())


def test_names_the_source_that_it_cannot_read(volume: Volume) -> None:
    damaged = volume.raw_files()[0]
    os.truncate(damaged, 100)

    with pytest.raises(UnreadableFile, match=damaged.name):
        volume.history.write(HOUR_22, volume.raw_files())


def test_a_source_of_another_schema_is_unreadable(volume: Volume, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.parquet"
    pq.write_table(pa.table({"other": [1]}), stranger)

    with pytest.raises(UnreadableFile, match=r"stranger\.parquet"):
        volume.history.write(HOUR_22, [stranger])


def test_deletes_hours_past_the_retention_but_not_the_last(volume: Volume) -> None:
    for hour in CLOSED:
        volume.history.write(hour, volume.raw_files())

    assert volume.history.expire(HOUR_00) == [HOUR_22, HOUR_23]
    volume.history.remove_empty_folders()
    assert [path.name for path in (volume.path / "history").glob("date=*")] == ["date=2026-02-01"]

    volume.history.expire(HISTORY_END + timedelta(days=100))
    assert volume.folders.history_end() == HISTORY_END


def test_unfinished_files_are_removed(volume: Volume) -> None:
    unfinished = volume.path / "history/.writing/2026-01-31-22.parquet"
    unfinished.parent.mkdir(parents=True)
    unfinished.write_bytes(b"PAR1")

    History(volume.folders, ignore).clear_writing()

    assert not unfinished.exists()
