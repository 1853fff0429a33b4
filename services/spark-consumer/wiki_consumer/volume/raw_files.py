"""The Parquet files that the sink writes, one a batch and date: `changes/date=2026-01-31/part-….parquet`.

A file that the sink's log doesn't name is a leftover of a crash, or the log has dropped it since, or the
batch that writes it hasn't committed.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from wiki_common.volume import date_folder, hour_of
from wiki_consumer.volume.sink_log import LOG_DIRECTORY, SinkLog

# A reader may be about to open a file that the log has just dropped.
GRACE: Final = timedelta(minutes=10)
# Spark renames a file of its log within moments of writing it.
UNFINISHED_FOR: Final = timedelta(hours=1)
PARQUET_MAGIC: Final = b"PAR1"
TIME: Final = "event_time"
KEY_COLUMNS: Final = ("event_id", TIME)

OnStep = Callable[[str], None]


class UnreadableFile(Exception):
    """The Parquet file at `path` is missing, damaged or not of the expected schema; names it and says why."""

    def __init__(self, path: Path, reason: object) -> None:
        self.path = path
        self.reason = " ".join(str(reason).split())
        super().__init__(f"{path}: {self.reason}")


@dataclass(frozen=True)
class EventTimes:
    """The oldest and the newest event_time in a file."""

    oldest: datetime
    newest: datetime


def read_rows(path: Path, columns: list[str] | None = None) -> pa.Table:
    """The rows of one file, all columns or just these, without its partition's. Raises UnreadableFile."""
    try:
        with pq.ParquetFile(path) as file:
            rows = file.read(columns=columns, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise UnreadableFile(path, error) from error
    if missing := set(columns or KEY_COLUMNS) - set(rows.column_names):
        raise UnreadableFile(path, f"it has no {' and no '.join(sorted(missing))}")
    if TIME in rows.column_names and not _are_times(rows[TIME]):
        raise UnreadableFile(path, f"{TIME} isn't a UTC timestamp in each row")
    return rows


def _are_times(column: pa.ChunkedArray) -> bool:
    return pa.types.is_timestamp(column.type) and column.type.tz is not None and not column.null_count


def read_event_times(path: Path) -> EventTimes | None:
    """From the footer's statistics alone; None for a file without rows. Raises UnreadableFile."""
    try:
        with pq.ParquetFile(path) as file:
            metadata = file.metadata
            column = metadata.schema.to_arrow_schema().get_field_index(TIME)
            if column < 0:
                raise ValueError(f"it has no {TIME}")
            groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
            statistics = [group.column(column).statistics for group in groups if group.num_rows]
            return _span(statistics)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise UnreadableFile(path, error) from error


def _span(statistics: list[pq.Statistics | None]) -> EventTimes | None:
    if not statistics:
        return None
    known = [group for group in statistics if group is not None and group.has_min_max and _is_utc(group.min)]
    if len(known) < len(statistics):
        raise ValueError(f"{TIME} has no statistics as a UTC timestamp")
    return EventTimes(min(group.min for group in known), max(group.max for group in known))


def _is_utc(value: object) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None


def is_half_written(path: Path) -> bool:
    """Whether its writer died before the end, so that Parquet's last bytes are missing."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - len(PARQUET_MAGIC), 0))
        return size <= 2 * len(PARQUET_MAGIC) or file.read() != PARQUET_MAGIC


def _names(folder: Path) -> set[str]:
    """Of all that is in a folder. Tens of thousands, each minute: names cost less than paths."""
    with os.scandir(folder) as entries:
        return {entry.name for entry in entries}


def list_raw_files(changes: Path) -> set[str]:
    """The names, relative to `changes`, of all files there, committed or not, without Hadoop's checksums."""
    return {
        f"{date.name}/{name}"
        for date in changes.glob("date=*")
        for name in _names(date)
        if not name.startswith(".")
    }


def delete_raw_file(path: Path) -> int:
    """Delete it and its checksum; how many bytes that freed."""
    checksum = path.with_name(f".{path.name}.crc")
    size = path.stat().st_size
    path.unlink()
    checksum.unlink(missing_ok=True)
    return size


def ids_by_hour(path: Path) -> dict[datetime, set[str | None]]:
    """The event ids in a file, by the start of their hour. Raises UnreadableFile."""
    rows = read_rows(path, [*KEY_COLUMNS])
    hours: dict[datetime, set[str | None]] = defaultdict(set)
    for event_id, event_time in zip(
        rows["event_id"].to_pylist(), rows["event_time"].to_pylist(), strict=True
    ):
        hours[hour_of(event_time)].add(event_id)
    return hours


def remove_leftovers(changes: Path, history_end: datetime | None, now: datetime, on_step: OnStep) -> None:
    """Remove checksums whose file is gone, old unfinished files of the log, and past dates without files."""
    for date in changes.glob("date=*"):
        names = _names(date)
        checksums = {name for name in names if name.startswith(".") and name.endswith(".crc")}
        for checksum in checksums - {f".{name}.crc" for name in names}:
            (date / checksum).unlink(missing_ok=True)
            on_step("stray checksum deleted")
    for unfinished in (changes / LOG_DIRECTORY).glob(".*.tmp*"):
        if now.timestamp() - unfinished.stat().st_mtime > UNFINISHED_FOR.total_seconds():
            unfinished.unlink(missing_ok=True)
            on_step("unfinished log file deleted")
    for folder in changes.glob("date=*"):
        if history_end and folder.name < date_folder(history_end) and not any(folder.iterdir()):
            folder.rmdir()
            on_step("empty date folder removed")


@dataclass(frozen=True)
class _Sighting:
    batch_id: int
    at: float


class Unlisted:
    """Finds the files that will never be in the log again and that no reader is about to open.

    A file that exists while batch N is the last committed one and isn't named by the log belongs to batch N
    + 1 at most. If the log that ends with another batch doesn't name it either, it never will. That needs
    no clock.
    """

    def __init__(self, grace: timedelta = GRACE) -> None:
        self._grace = grace
        self._first_seen: dict[str, _Sighting] = {}

    def settled(self, names: Iterable[str], log: SinkLog, *, monotonic: float) -> list[str]:
        """Those of `names` that are out of the log for good and for `grace` at least; `monotonic` in seconds.

        `names` must have been listed before `log` was read.
        """
        now = _Sighting(log.batch_id, monotonic)
        unlisted = {name: self._first_seen.get(name, now) for name in names if name not in log.files}
        self._first_seen = unlisted
        return sorted(
            name
            for name, first in unlisted.items()
            if log.batch_id != first.batch_id and monotonic - first.at >= self._grace.total_seconds()
        )
