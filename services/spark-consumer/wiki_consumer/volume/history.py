"""The closed hours: `history/date=2026-01-31/hour=07/part-0.parquet`, one file each, sorted by event_time.

The history holds every row before the end of its last hour (`Volume.history_end`); later ones are in
`changes`. So hours appear in order, each whole, by the rename of a file that is on the disk: a reader sees
an hour or doesn't. A file is written under `history/.writing` first, which readers don't look at.

The gaps in a file's footer are of times that end in its hour, or in one before it.

The files have the schema of the raw ones. A row group is some minutes of a busy wiki: its statistics let a
reader skip the rest of the hour.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from wiki_common.coverage import Coverage, CoverageUnreadable, Gap
from wiki_common.store.place import Place
from wiki_common.volume import HOUR, Volume
from wiki_consumer.volume.drafts import Draft, draft_of
from wiki_consumer.volume.durable import make_folder
from wiki_consumer.volume.gaps import joined
from wiki_consumer.volume.raw_files import OnStep, UnreadableFile, read_footer, read_rows

ROW_GROUP_ROWS: Final = 16_384
_POSITION: Final = "position"


class VerificationFailed(Exception):
    """A file that was written doesn't hold what it should: it is not published."""


@dataclass(frozen=True)
class WrittenHour:
    """What was published: rows in the file, rows left out since their id was there already, and bytes."""

    rows: int
    duplicates: int
    bytes: int


class History:
    """The folder `history`, which has one writer. `on_step` is told each thing done to the disk."""

    def __init__(self, volume: Volume[Place], on_step: OnStep) -> None:
        self._volume = volume
        self.writing = volume.history / ".writing"
        self._on_step = on_step

    def event_ids(self, hour: datetime) -> set[str | None]:
        """The ids in an hour; empty if it has no file. Raises UnreadableFile."""
        file = self._volume.hour_file(hour)
        return set(read_rows(file, ["event_id"])["event_id"].to_pylist()) if file.exists() else set()

    def gaps(self) -> tuple[Gap, ...]:
        """Of all hours whose file can be read."""
        found: list[Gap] = []
        for hour in self._volume.hours():
            with suppress(UnreadableFile):
                found += read_footer(self._volume.hour_file(hour)).coverage.gaps
        return joined(found)

    def write(self, hour: datetime, sources: Iterable[Place], gaps: Iterable[Gap] = ()) -> WrittenHour | None:
        """Publish the rows of `hour` in `sources` with `gaps`, and what its file holds already; None if there
        are no rows.

        Holds the hour's rows in memory three times at most, its ids twice. Raises UnreadableFile,
        VerificationFailed, OSError or pa.ArrowException, and has changed nothing then.
        """
        target = self._volume.hour_file(hour)
        version = _version(target)
        existing = [target] if version else []
        tables = [rows for path in (*existing, *sources) if (rows := _rows_within(path, hour)).num_rows]
        if not tables:
            return None
        rows = _in_order(_as_one(tables))
        expected = {event_id for table in tables for event_id in table["event_id"].to_pylist()}
        read = sum(table.num_rows for table in tables)
        tables.clear()
        draft = draft_of(target, self.writing / f"{hour:%Y-%m-%d-%H}.parquet", replaces=version)
        known = (gap for path in existing for gap in read_footer(path).coverage.gaps)
        coverage = Coverage(gaps=joined((*known, *gaps)))
        self._write_to_disk(rows, coverage, draft)
        _verify(target, draft.content(), rows, coverage, expected)
        self._on_step("history file verified")
        written = WrittenHour(rows.num_rows, read - rows.num_rows, draft.size())
        if isinstance(target, Path):
            make_folder(target.parent)
            self._on_step("history folder made")
        draft.publish()
        self._on_step("history file published")
        return written

    def _write_to_disk(self, rows: pa.Table, coverage: Coverage, draft: Draft) -> None:
        by_time = pq.SortingColumn.from_ordering(rows.schema, [("event_time", "ascending")])
        with (
            draft.writing() as file,
            pq.ParquetWriter(
                file,
                rows.schema,
                compression="zstd",
                store_schema=False,
                write_page_checksum=True,
                write_page_index=True,
                sorting_columns=by_time,
            ) as writer,
        ):
            writer.write_table(rows, row_group_size=ROW_GROUP_ROWS)
            writer.add_key_value_metadata(coverage.in_footer())
        self._on_step("history file written")

    def clear_writing(self) -> None:
        """Remove what a crash left half-written; in an object store there is no such thing."""
        if not isinstance(self.writing, Path):
            return
        for unfinished in self.writing.glob("*"):
            unfinished.unlink()
            self._on_step("unfinished history file removed")

    def expire(self, before: datetime) -> list[datetime]:
        """Delete the hours that ended before; the last of all stays, since it says where the history ends."""
        expired = [hour for hour in self._volume.hours()[:-1] if hour + HOUR <= before]
        for hour in expired:
            self._volume.hour_file(hour).unlink()
            self._on_step("old history file deleted")
        return expired

    def remove_empty_folders(self) -> None:
        history = self._volume.history
        if not isinstance(history, Path):
            return
        for folder in (*history.glob("date=*/hour=*"), *history.glob("date=*")):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
                self._on_step("empty history folder removed")


def _version(file: Place) -> str:
    """What tells the file that is there from later ones: only this one is replaced. "" if there is none."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return ""
    return getattr(found, "etag", "") or str(found.st_mtime)


def _rows_within(path: Place, hour: datetime) -> pa.Table:
    rows = read_rows(path)
    try:
        time = rows["event_time"]
        start, end = (pa.scalar(bound, time.type) for bound in (hour, hour + HOUR))
        return rows.filter(pc.and_(pc.greater_equal(time, start), pc.less(time, end)))
    except pa.ArrowException as error:
        raise UnreadableFile(path, error) from error


def _as_one(tables: list[pa.Table]) -> pa.Table:
    """All rows, with the columns of the last table: an older one may lack a column that was added since."""
    schema = tables[-1].schema
    return (
        pa.concat_tables(tables, promote_options="default").select(schema.names).cast(schema).combine_chunks()
    )


def _in_order(rows: pa.Table) -> pa.Table:
    """Sorted by event_time, each event_id once."""
    ordered = rows.sort_by([("event_time", "ascending"), ("event_id", "ascending")])
    if pc.count_distinct(ordered["event_id"], mode="all").as_py() == ordered.num_rows:
        return ordered
    keyed = pa.table({"event_id": ordered["event_id"], _POSITION: pa.array(range(ordered.num_rows))})
    first = keyed.group_by("event_id", use_threads=False).aggregate([(_POSITION, "min")])
    return ordered.take(first[f"{_POSITION}_min"].sort())


def _verify(
    file: Place,
    content: Path | BinaryIO,
    rows: pa.Table,
    coverage: Coverage,
    expected: set[str | None],
) -> None:
    """The `content` of `file`, read back, has `rows` and the coverage, and they are `expected`, each once."""
    found: set[str | None] = set()
    count = 0
    try:
        with pq.ParquetFile(content, page_checksum_verification=True) as parquet:
            if Coverage.of_footer(parquet.metadata.metadata) != coverage:
                raise VerificationFailed(f"{file}: the coverage differs from what was written")
            for group in range(parquet.num_row_groups):
                read = parquet.read_row_group(group, use_threads=False)
                if not read.equals(rows.slice(count, read.num_rows)):
                    raise VerificationFailed(f"{file}: row group {group} differs from what was written")
                found.update(read["event_id"].to_pylist())
                count += read.num_rows
    except (OSError, pa.ArrowException, CoverageUnreadable) as error:
        raise VerificationFailed(f"{file}: {error}") from error
    if count != len(expected) or found != expected:
        raise VerificationFailed(
            f"{file}: {count} rows with {len(found)} ids, not the {len(expected)} ids expected"
        )
