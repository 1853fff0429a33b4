"""Committed Parquet files as rows of the columns that the queries use."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from wiki_common.store.place import Place, readable
from wiki_common.store.several import each_of
from wiki_common.volume import HOUR, Volume
from wiki_web.data.titles import CONTROLS, DIRECTION_MARKS

EVENT_US: Final = "event_us"
MICROSECOND: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# The stored column behind each column of the queries; `user` would be a function in both SQL dialects.
STORED: Final = {
    "event_id": "event_id",
    EVENT_US: "event_time",
    "wiki": "wiki",
    "title": "title",
    "page_url": "page_url",
    "type": "type",
    "namespace": "namespace",
    "editor": "user",
    "bot": "bot",
    "minor": "minor",
    "comment": "comment",
    "length_old": "length_old",
    "length_new": "length_new",
    "revision_new": "revision_new",
    "diff_url": "diff_url",
}
_TYPES: Final = {
    EVENT_US: pa.int64(),
    "namespace": pa.int32(),
    "bot": pa.bool_(),
    "minor": pa.bool_(),
    "length_old": pa.int64(),
    "length_new": pa.int64(),
    "revision_new": pa.int64(),
}
SCHEMA: Final = pa.schema([(name, _TYPES.get(name, pa.string())) for name in STORED])
FILE_SCHEMA: Final = pa.schema(
    [
        (stored, pa.timestamp("us", "UTC") if name == EVENT_US else _TYPES.get(name, pa.string()))
        for name, stored in STORED.items()
    ]
)
"""Of what is read of a file; a column that a file lacks is null."""
_FORMAT: Final = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True)
)


class RowsError(Exception):
    """A committed file can't be read: which, and why."""


@dataclass(frozen=True)
class Hour:
    """One closed hour of history: every committed change of `start` ≤ event_time < `end`, in one file."""

    start: datetime
    path: Place

    @property
    def end(self) -> datetime:
        return self.start + HOUR


def microseconds(moment: datetime) -> int:
    """Since the epoch, exactly."""
    return (moment - _EPOCH) // MICROSECOND


def moment_of(event_us: int) -> datetime:
    return _EPOCH + event_us * MICROSECOND


def closed_hours(data_dir: Place) -> tuple[Hour, ...]:
    """The hours of the history, oldest first."""
    return tuple(Hour(start, file) for start, file in Volume(data_dir).hour_files().items())


def boundary_of(hours: Sequence[Hour]) -> int:
    """Up to this time (µs) history counts, from it on the changes folder does. 0 without history."""
    return microseconds(hours[-1].end) if hours else 0


def read_rows(files: Sequence[Place], *, from_us: int) -> pa.Table:
    """Rows of `files` with event_time ≥ `from_us`. Raises FileNotFoundError, or RowsError naming the file."""
    return read_matching(files, ds.field(STORED[EVENT_US]) >= _time(from_us), SCHEMA.names)


def within(after_us: int, until_us: int | None) -> ds.Expression:
    """Whether a stored row is of (after, until]; None for any time after."""
    time = ds.field(STORED[EVENT_US])
    after = time > _time(after_us)
    return after if until_us is None else after & (time <= _time(until_us))


def one_of(name: str, values: Sequence[int | str]) -> ds.Expression:
    """Whether a stored row's column `name`, which is read as it is, has one of `values`."""
    return ds.field(STORED[name]).isin(pa.array(values, SCHEMA.field(name).type))


def _time(event_us: int) -> pa.Scalar:
    return pa.scalar(moment_of(event_us), pa.timestamp("us", "UTC"))


def read_matching(
    files: Sequence[Place], matching: ds.Expression, names: Sequence[str], *, threads: bool = True
) -> pa.Table:
    """The columns `names` of those rows of `files`; without `threads` in the calling thread alone.

    Raises FileNotFoundError, or RowsError naming the file.
    """
    schema = pa.schema([SCHEMA.field(name) for name in names])
    if not files:
        return schema.empty_table()

    def stored(paths: Sequence[Place]) -> pa.Table:
        dataset = dataset_of(paths)
        columns = [STORED[name] for name in names]
        return dataset.to_table(columns, filter=matching, batch_readahead=4, use_threads=threads)

    try:
        found = stored(files)
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        # Arrow doesn't always say which one it is.
        named = next(_unreadable(files, stored), files[0].parent)
        raise RowsError(f"{named}: {' '.join(str(error).split())}") from error
    columns = {name: _readable(found[STORED[name]].cast(SCHEMA.field(name).type)) for name in names}
    if "event_id" in columns:
        columns["event_id"] = columns["event_id"].fill_null("")
    if "title" in columns:
        columns["title"] = _spelled(columns["title"].fill_null(""))
    return pa.table(columns, schema=schema).combine_chunks()


def dataset_of(files: Sequence[Place]) -> ds.Dataset:
    """Those files with FILE_SCHEMA. Raises FileNotFoundError or OSError where they are objects."""
    paths = [str(file) for file in files if isinstance(file, Path)]
    if len(paths) == len(files):
        return ds.dataset(paths, schema=FILE_SCHEMA, format=_FORMAT)
    opened = each_of(files, lambda file: pa.PythonFile(readable(file), "r"))
    fragments = [_FORMAT.make_fragment(file) for file in opened]
    return ds.FileSystemDataset(fragments, FILE_SCHEMA, _FORMAT)


def readable_titles(titles: pa.ChunkedArray) -> pa.ChunkedArray:
    """As the rows' own titles are, so that they can be compared."""
    return _spelled(_readable(titles))


def _unreadable(files: Sequence[Place], read: Callable[[Sequence[Place]], object]) -> Iterator[Place]:
    for path in files:
        try:
            read([path])
        except (pa.ArrowException, OSError):
            yield path


def _spelled(titles: pa.ChunkedArray) -> pa.ChunkedArray:
    """As titles.spelled, and without controls."""
    spaced = pc.replace_substring(titles, "_", " ")
    return pc.utf8_trim(pc.replace_substring_regex(spaced, f"[{DIRECTION_MARKS}{CONTROLS}]", ""), " ")


def _readable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Without bytes that are no UTF-8, which no reader of a text expects; others stay as they are."""
    if column.type != pa.string():
        return column
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        texts = [value and value.decode(errors="replace") for value in column.cast(pa.binary()).to_pylist()]
        return pa.chunked_array([texts], pa.string())
    return column


def newest_us(rows: pa.Table) -> int | None:
    """The newest event_time in µs, None without rows."""
    newest: int | None = pc.max(rows[EVENT_US]).as_py()
    return newest


def concat(tables: Iterable[pa.Table]) -> pa.Table:
    """All rows in one table with whole columns."""
    return pa.concat_tables([SCHEMA.empty_table(), *tables]).combine_chunks()
