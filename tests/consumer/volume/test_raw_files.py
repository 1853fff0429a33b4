import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from consumer.volumes import CLOSED, HISTORY_END, NOW, Volume, ignore
from wiki_consumer.volume.raw_files import (
    GRACE,
    UNFINISHED_FOR,
    EventTimes,
    Unlisted,
    UnreadableFile,
    delete_raw_file,
    ids_by_hour,
    is_half_written,
    list_raw_files,
    read_event_times,
    remove_leftovers,
)
from wiki_consumer.volume.sink_log import CommittedFile, SinkLog, read_sink_log

WAIT = GRACE.total_seconds()


def log(batch_id: int, *names: str) -> SinkLog:
    return SinkLog(batch_id, {name: CommittedFile(name, NOW) for name in names})


def test_lists_committed_files_and_leftovers_without_checksums(volume: Volume) -> None:
    leftover = volume.raw_files()[0].with_name("part-left.parquet")
    leftover.write_bytes(b"PAR1")

    names = list_raw_files(volume.changes)

    assert names == read_sink_log(volume.changes).files.keys() | {f"{leftover.parent.name}/{leftover.name}"}


def test_the_footer_tells_the_event_times(volume: Volume) -> None:
    assert read_event_times(volume.raw_file_with("1-0")) == EventTimes(
        datetime(2026, 1, 31, 22, 45, tzinfo=UTC), datetime(2026, 1, 31, 23, tzinfo=UTC)
    )


def test_a_file_without_rows_has_no_event_times(volume: Volume) -> None:
    path = volume.raw_files()[0]
    pq.write_table(pq.ParquetFile(path).read().slice(0, 0), path)

    assert read_event_times(path) is None


def test_times_that_are_not_utc_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "int96.parquet"
    table = pa.table({"event_time": pa.array([NOW], pa.timestamp("us", "UTC"))})
    pq.write_table(table, path, use_deprecated_int96_timestamps=True)

    with pytest.raises(UnreadableFile, match=r"int96\.parquet: event_time has no statistics"):
        read_event_times(path)


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
            read_event_times(path)


@pytest.mark.parametrize("length", [0, 4, 100])
def test_a_file_without_its_end_is_half_written_and_unreadable(volume: Volume, length: int) -> None:
    path = volume.raw_files()[0]
    assert not is_half_written(path)

    os.truncate(path, length)

    assert is_half_written(path)
    with pytest.raises(UnreadableFile, match=path.name):
        read_event_times(path)


def test_groups_ids_by_hour(volume: Volume) -> None:
    assert ids_by_hour(volume.raw_file_with("1-0")) == {CLOSED[0]: {"1-0"}, CLOSED[1]: {"1-1"}}


def test_a_file_is_deleted_with_its_checksum(volume: Volume) -> None:
    path = volume.raw_files()[0]
    size = path.stat().st_size
    checksum = path.with_name(f".{path.name}.crc")
    assert checksum.exists()

    assert delete_raw_file(path) == size
    assert not path.exists()
    assert not checksum.exists()


def test_a_file_of_the_batch_in_flight_is_not_settled() -> None:
    unlisted = Unlisted()

    assert unlisted.settled({"a"}, log(7), monotonic=0) == []
    assert unlisted.settled({"a"}, log(7), monotonic=10 * WAIT) == []
    assert unlisted.settled({"a"}, log(8, "a"), monotonic=20 * WAIT) == []


def test_a_file_that_the_next_batch_does_not_name_is_settled_after_the_grace() -> None:
    unlisted = Unlisted()

    assert unlisted.settled({"a"}, log(7), monotonic=0) == []
    assert unlisted.settled({"a"}, log(8), monotonic=WAIT - 1) == []
    assert unlisted.settled({"a"}, log(8), monotonic=WAIT) == ["a"]


def test_the_grace_begins_when_the_log_drops_a_file() -> None:
    unlisted = Unlisted()

    assert unlisted.settled({"a"}, log(7, "a"), monotonic=0) == []
    assert unlisted.settled({"a"}, log(8), monotonic=WAIT) == []
    assert unlisted.settled({"a"}, log(9), monotonic=2 * WAIT) == ["a"]


def test_removes_what_belongs_to_no_file(volume: Volume) -> None:
    metadata = volume.changes / "_spark_metadata"
    old, new = metadata / ".4.b2.tmp", metadata / ".6.b3.tmp"
    for path in (old, new):
        path.write_text("v1")
    os.utime(old, (NOW.timestamp() - UNFINISHED_FOR.total_seconds() - 1,) * 2)
    os.utime(new, (NOW.timestamp(),) * 2)
    january = volume.changes / "date=2026-01-31"
    for path in january.glob("part-*"):
        path.unlink()

    remove_leftovers(volume.changes, HISTORY_END, NOW, ignore)

    assert not january.exists()
    assert not old.exists()
    assert new.exists()
    assert list(volume.changes.glob("date=*/.*.crc"))


def test_a_date_that_may_still_be_written_keeps_its_folder(volume: Volume) -> None:
    today = volume.changes / f"date={HISTORY_END:%Y-%m-%d}"
    for path in today.iterdir():
        path.unlink()

    remove_leftovers(volume.changes, HISTORY_END, NOW, ignore)
    assert today.exists()

    remove_leftovers(volume.changes, HISTORY_END + timedelta(days=1), NOW, ignore)
    assert not today.exists()
