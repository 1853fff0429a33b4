import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from consumer.volumes import CLOSED, HISTORY_END, NOW, Volume, ignore
from harness.strange_volumes import change_a_title
from wiki_common.volume import BatchId
from wiki_consumer.volume.raw_files import (
    EventTimes,
    UnreadableFile,
    ids_by_hour,
    is_half_written,
    list_raw_files,
    read_footer,
    read_rows,
    remove_empty_dates,
)

EPOCH = "20260131T120000Z"


def test_lists_what_batches_wrote_in_their_order_and_nothing_else(tmp_path: Path) -> None:
    today, yesterday = "date=2026-01-31", "date=2026-01-30"
    names = [
        f"{today}/{EPOCH}-0000000009.parquet",
        f"{yesterday}/{EPOCH}-0000000010-part.parquet",
        f"{today}/{EPOCH}-0000000010.parquet",
        f"{today}/20260131T120001Z-0000000000.parquet",
    ]
    others = [
        f"{today}/part-00000-1.parquet",
        f"{today}/.{EPOCH}-0000000011.parquet.crc",
        f"{today}/{EPOCH}-11.parquet",
        "other/file.parquet",
    ]
    for name in (*names, *others):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()

    files = list_raw_files(tmp_path)

    assert [raw.name for raw in files] == names
    assert [raw.is_part for raw in files] == [False, True, False, False]
    assert files[1].batch == BatchId(EPOCH, 10)


def test_the_footer_tells_the_event_times(volume: Volume) -> None:
    assert read_footer(volume.raw_file_with("1-0")).times == EventTimes(
        datetime(2026, 1, 31, 22, 45, tzinfo=UTC), datetime(2026, 1, 31, 23, tzinfo=UTC)
    )


def test_a_file_without_rows_has_no_event_times(volume: Volume) -> None:
    path = volume.raw_files()[0]
    pq.write_table(pq.ParquetFile(path).read().slice(0, 0), path)

    assert read_footer(path).times is None


def test_times_that_are_not_utc_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "int96.parquet"
    table = pa.table({"event_time": pa.array([NOW], pa.timestamp("us", "UTC"))})
    pq.write_table(table, path, use_deprecated_int96_timestamps=True)

    with pytest.raises(UnreadableFile, match=r"int96\.parquet: event_time has no statistics"):
        read_footer(path)


@pytest.mark.parametrize(
    "columns",
    [
        {"event_id": ["a"]},
        {"event_time": [NOW]},
        {"event_id": ["a"], "event_time": [1]},
        {"event_id": ["a"], "event_time": ["2026-01-31"]},
        {"event_id": ["a"], "event_time": [None]},
    ],
    ids=str,
)
def test_a_file_of_another_schema_is_refused(tmp_path: Path, columns: dict[str, list[object]]) -> None:
    path = tmp_path / "other.parquet"
    pq.write_table(pa.table(columns), path)

    with pytest.raises(UnreadableFile, match=r"other\.parquet: "):
        ids_by_hour(path)
    if columns.get("event_time") != [NOW]:
        with pytest.raises(UnreadableFile, match=r"other\.parquet: .*event_time"):
            read_footer(path)


@pytest.mark.parametrize("length", [0, 4, 100])
def test_a_file_without_its_end_is_half_written_and_unreadable(volume: Volume, length: int) -> None:
    path = volume.raw_files()[0]
    assert not is_half_written(path)

    os.truncate(path, length)

    assert is_half_written(path)
    with pytest.raises(UnreadableFile, match=path.name):
        read_footer(path)


def test_groups_ids_by_hour(volume: Volume) -> None:
    assert ids_by_hour(volume.raw_file_with("1-0")) == {CLOSED[0]: {"1-0"}, CLOSED[1]: {"1-1"}}


def test_a_date_that_may_still_be_written_keeps_its_folder(volume: Volume) -> None:
    today = volume.changes / f"date={HISTORY_END:%Y-%m-%d}"
    for path in today.iterdir():
        path.unlink()

    remove_empty_dates(volume.changes, HISTORY_END, ignore)
    assert today.exists()

    remove_empty_dates(volume.changes, HISTORY_END + timedelta(days=1), ignore)
    assert not today.exists()
    assert (volume.changes / "date=2026-01-31").exists()


def test_a_page_that_the_disk_has_changed_makes_its_file_unreadable(volume: Volume) -> None:
    path = volume.raw_files()[0]
    change_a_title(path)
    with pytest.raises(UnreadableFile, match=path.name):
        read_rows(path)


@pytest.mark.parametrize(
    "us", [-(2**63), -62_135_596_800_000_000, -1_000_000, 253_402_300_799_999_999, 2**63 - 1]
)
def test_a_time_of_no_usual_year_makes_a_file_unreadable(tmp_path: Path, us: int) -> None:
    """Some have no date in Python, and from the year 1 on there are millions of hours."""
    path = tmp_path / "odd.parquet"
    times = pa.array([us], pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"event_id": ["a"], "event_time": times}), path)
    for read in (read_footer, read_rows):
        with pytest.raises(UnreadableFile, match=r"odd\.parquet: .*(event_time|out of range)"):
            read(path)
