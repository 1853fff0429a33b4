"""The Parquet files in `changes`: what each batch wrote, until the history has its rows.

Their names (`RawFile`) say which batch wrote them; all of them count.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from wiki_common.coverage import Coverage, CoverageUnreadable
from wiki_common.store.place import Place, readable
from wiki_common.volume import RawFile, date_folder, date_folders, file_names, hour_of

PARQUET_MAGIC: Final = b"PAR1"
TIME: Final = "event_time"
SCHEMA: Final = pa.schema(
    [
        ("event_id", pa.string()),
        (TIME, pa.timestamp("us", "UTC")),
        ("wiki", pa.string()),
        ("domain", pa.string()),
        ("type", pa.string()),
        ("namespace", pa.int32()),
        ("title", pa.string()),
        ("page_url", pa.string()),
        ("user", pa.string()),
        ("bot", pa.bool_()),
        ("minor", pa.bool_()),
        ("patrolled", pa.bool_()),
        ("comment", pa.string()),
        ("length_old", pa.int64()),
        ("length_new", pa.int64()),
        ("revision_old", pa.int64()),
        ("revision_new", pa.int64()),
        ("rc_id", pa.int64()),
        ("diff_url", pa.string()),
        ("ingested_at", pa.timestamp("us", "UTC")),
    ]
)
"""Of each file, with or without rows; the folder's name is its `date`."""
# All our rows lie between these, and so do the hours that can be closed.
FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
END: Final = datetime(9999, 12, 31, tzinfo=UTC)
KEY_COLUMNS: Final = ("event_id", TIME)

OnStep = Callable[[str], None]


class UnreadableFile(Exception):
    """The Parquet file at `path` is missing, damaged or not of the expected schema; names it and says why."""

    def __init__(self, path: Place, reason: object) -> None:
        self.path = path
        self.reason = " ".join(str(reason).split())
        super().__init__(f"{path}: {self.reason}")


@dataclass(frozen=True)
class EventTimes:
    """The oldest and the newest event_time in a file."""

    oldest: datetime
    newest: datetime


@dataclass(frozen=True)
class Footer:
    """What is told of a file without reading its rows; it has no times if it has no rows.

    The coverage of a file that has none, such as an older version's, is not known.
    """

    times: EventTimes | None
    coverage: Coverage


def read_rows(path: Place, columns: list[str] | None = None) -> pa.Table:
    """The rows of one file, all columns or just these, without its partition's.

    Raises UnreadableFile, or OSError if an object store doesn't answer, which tells nothing of the file.
    """
    source = _opened(path, whole=True)
    try:
        with pq.ParquetFile(source, page_checksum_verification=True) as file:
            rows = file.read(columns=columns, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise UnreadableFile(path, error) from error
    if missing := set(columns or KEY_COLUMNS) - set(rows.column_names):
        raise UnreadableFile(path, f"it has no {' and no '.join(sorted(missing))}")
    if TIME in rows.column_names and not _are_times(rows[TIME]):
        raise UnreadableFile(path, f"{TIME} isn't a UTC timestamp of usual years in each row")
    return rows


def _opened(path: Place, *, whole: bool = False) -> Path | BinaryIO:
    """For a reader of Parquet; of an object by one request if it is small or `whole`."""
    if isinstance(path, Path):
        return path
    try:
        return BytesIO(path.read_bytes()) if whole else readable(path)
    except FileNotFoundError as error:
        raise UnreadableFile(path, error) from error


def _are_times(column: pa.ChunkedArray) -> bool:
    if not pa.types.is_timestamp(column.type) or column.type.tz is None or column.null_count:
        return False
    seconds = column.cast(pa.timestamp("s", column.type.tz), safe=False).cast(pa.int64())
    first, last = pc.min_max(seconds).as_py().values()
    return first is None or (first >= FIRST.timestamp() and last < END.timestamp())


def read_footer(path: Place) -> Footer:
    """Raises as read_rows does."""
    source = _opened(path)
    try:
        with pq.ParquetFile(source) as file:
            metadata = file.metadata
        return Footer(_event_times(metadata), Coverage.of_footer(metadata.metadata))
    except (OSError, pa.ArrowException, ValueError, OverflowError, CoverageUnreadable) as error:
        raise UnreadableFile(path, error) from error


def _event_times(metadata: pq.FileMetaData) -> EventTimes | None:
    column = metadata.schema.to_arrow_schema().get_field_index(TIME)
    if column < 0:
        raise ValueError(f"it has no {TIME}")
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    return _span([group.column(column).statistics for group in groups if group.num_rows])


def _span(statistics: list[pq.Statistics | None]) -> EventTimes | None:
    if not statistics:
        return None
    known = [group for group in statistics if group is not None and group.has_min_max and _is_utc(group.min)]
    if len(known) < len(statistics):
        raise ValueError(f"{TIME} has no statistics as a UTC timestamp")
    times = EventTimes(min(group.min for group in known), max(group.max for group in known))
    if not FIRST <= times.oldest <= times.newest < END:
        raise ValueError(f"{TIME} is {times.oldest} to {times.newest}")
    return times


def _is_utc(value: object) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None


def is_half_written(path: Place) -> bool:
    """Whether its writer died before the end, so that Parquet's last bytes are missing; no object is."""
    if not isinstance(path, Path):
        return False
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - len(PARQUET_MAGIC), 0))
        return size <= 2 * len(PARQUET_MAGIC) or file.read() != PARQUET_MAGIC


def list_raw_files(changes: Place) -> list[RawFile]:
    """What the consumer wrote there and didn't delete yet, in the order of the batches."""
    files = [
        raw
        for date in date_folders(changes)
        for name in file_names(changes / date)
        if (raw := RawFile.named(date, name))
    ]
    return sorted(files, key=lambda raw: (raw.batch, not raw.is_part, raw.date))


def ids_by_hour(path: Place) -> dict[datetime, set[str | None]]:
    """The event ids in a file, by the start of their hour. Raises UnreadableFile."""
    rows = read_rows(path, [*KEY_COLUMNS])
    hours: dict[datetime, set[str | None]] = defaultdict(set)
    for event_id, event_time in zip(
        rows["event_id"].to_pylist(), rows["event_time"].to_pylist(), strict=True
    ):
        hours[hour_of(event_time)].add(event_id)
    return hours


def remove_empty_dates(changes: Place, history_end: datetime | None, on_step: OnStep) -> None:
    """Remove the folders of past dates that have no files any more; an object store has none such."""
    if not isinstance(changes, Path):
        return
    for name in date_folders(changes):
        folder = changes / name
        if history_end and name < date_folder(history_end) and not any(folder.iterdir()):
            folder.rmdir()
            on_step("empty date folder removed")
