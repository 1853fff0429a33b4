"""What is usual, as the consumer's file tells: how often each title was changed in the week before.

A million titles take some 60 MB, in this process alone: both engines' answers are compared with it here.
"""

import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import structlog

from wiki_common.baseline import CHANGES, COLUMNS, NAMESPACE, TITLE, TITLES, WIKI, BaselineUnreadable, Covered
from wiki_common.store.place import Place, readable
from wiki_common.volume import Volume
from wiki_web.data.rows import RowsError, microseconds, readable_titles

MOST_ROWS: Final = 1_500_000
"""The consumer keeps a million titles, and a row for each wiki and namespace."""
_SCHEMA: Final = pa.schema(list(COLUMNS.items()))
_AGAIN: Final = 60.0  # seconds, after which a file that could not be read is tried again

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Titles:
    """The changes of each title, sorted by wiki and title; the titles of a wiki are one range."""

    titles: pa.StringArray
    changes: pa.Int64Array
    ranges: dict[str | None, range]

    def changes_of(self, wiki: str | None, title: str) -> int | None:
        """None for a title that has no row."""
        of_wiki = self.ranges.get(wiki, range(0))
        found = bisect_left(of_wiki, title, key=lambda row: str(self.titles[row].as_py()))
        if found == len(of_wiki) or self.titles[of_wiki[found]].as_py() != title:
            return None
        return int(self.changes[of_wiki[found]].as_py())


class Baseline:
    """One file's content, which `tables` give one after another."""

    def __init__(self, covered: Covered, tables: Iterable[pa.Table]) -> None:
        self.covered = covered
        self.start_us, self.end_us = microseconds(covered.start), microseconds(covered.end)
        self.watched_us = int(covered.watched_seconds * 1_000_000)
        groups: list[dict[str, Any]] = []
        parts: list[pa.Table] = []
        respelled = False
        for table in tables:
            groups += table.filter(pc.is_null(table[TITLE])).to_pylist()
            stored = table.filter(pc.is_valid(table[TITLE])).select([WIKI, TITLE, CHANGES])
            titles = readable_titles(stored[TITLE])
            respelled = respelled or not titles.equals(stored[TITLE])
            parts.append(stored.set_column(1, TITLE, titles))
        self._titles = _sorted_titles(parts, respelled)
        self._groups = {
            (group[WIKI], group[NAMESPACE]): (int(group[CHANGES] or 0), max(1, int(group[TITLES] or 0)))
            for group in groups
        }
        changes, titles = map(sum, zip(*self._groups.values(), strict=True)) if groups else (1, 1)
        self._mean = changes / titles

    def changes_of(self, wiki: str | None, title: str) -> int | None:
        """How often a title was changed; None if less often than `covered.least_changes`."""
        return self._titles.changes_of(wiki, title)

    def mean_of(self, wiki: str | None, namespace: int | None) -> float:
        """How often the titles of a wiki and namespace were changed that were changed at all."""
        if (wiki, namespace) not in self._groups:
            return self._mean
        changes, titles = self._groups[wiki, namespace]
        return changes / titles


class Baselines:
    """The volume's newest baseline, read when it is first asked for. For any thread. `clock` is monotonic.

    A newer one is read beside what goes on with the one before, which also stays while that can't be read.
    """

    def __init__(self, data_dir: Place, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = Volume(data_dir).baseline
        self._clock = clock
        self._guard = threading.Lock()
        self._seen: tuple[int, ...] | None = None
        self._again_at = inf
        self._held: Baseline | None = None

    def newest(self) -> Baseline | None:
        """None if there is none, or none that can be read."""
        with self._guard:
            # Who can't look knows of no newer one.
            with suppress(OSError):
                self._look()
            return self._held

    def _look(self) -> None:
        version = self._version()
        if version == self._seen and self._clock() < self._again_at:
            return
        self._seen, self._again_at = version, inf
        if version is None:
            self._held = None
        elif self._held is None:
            self._take(version, self._read())
        else:
            threading.Thread(target=partial(self._replace, version), name="baseline", daemon=True).start()

    def _replace(self, version: tuple[int, ...]) -> None:
        baseline = self._read()
        with self._guard:
            self._take(version, baseline)

    def _take(self, version: tuple[int, ...], baseline: Baseline | None) -> None:
        if version != self._seen:
            return
        if baseline is None:
            self._again_at = self._clock() + _AGAIN
        else:
            self._held = baseline

    def _version(self) -> tuple[int, ...] | None:
        try:
            found = self._file.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size

    def _read(self) -> Baseline | None:
        try:
            return read_baseline(self._file)
        except RowsError as error:
            _log.warning("no baseline", reason=str(error))
            return None
        finally:
            pa.default_memory_pool().release_unused()


def read_baseline(file: Place) -> Baseline:
    """Raises RowsError, which names the file."""
    try:
        with pq.ParquetFile(readable(file), page_checksum_verification=True) as parquet:
            covered = Covered.of_footer(parquet.metadata.metadata)
            if parquet.metadata.num_rows > MOST_ROWS:
                raise RowsError(f"{file}: more than {MOST_ROWS} rows")
            return Baseline(covered, _row_groups(parquet))
    except (OSError, pa.ArrowException, KeyError, BaselineUnreadable) as error:
        raise RowsError(f"{file}: {' '.join(str(error).split())}") from error


def _row_groups(parquet: pq.ParquetFile) -> Iterator[pa.Table]:
    for group in range(parquet.num_row_groups):
        rows = parquet.read_row_group(group, _SCHEMA.names, use_threads=False)
        yield rows.select(_SCHEMA.names).cast(_SCHEMA)


def _sorted_titles(tables: Sequence[pa.Table], respelled: bool) -> _Titles:
    """Each title once, in order. Titles that were `respelled` may be equal now, and out of order."""
    rows = pa.concat_tables(tables) if tables else _SCHEMA.empty_table()
    if respelled:
        summed = rows.group_by([WIKI, TITLE], use_threads=False).aggregate([(CHANGES, "sum")])
        rows = summed.rename_columns([WIKI, TITLE, CHANGES]).sort_by(
            [(WIKI, "ascending"), (TITLE, "ascending")]
        )
    ranges, start = {}, 0
    if rows.num_rows:
        of_wikis = pc.run_end_encode(rows[WIKI].combine_chunks())
        for wiki, end in zip(of_wikis.values.to_pylist(), of_wikis.run_ends.to_pylist(), strict=True):
            ranges[wiki], start = range(start, end), end
    return _Titles(_whole(rows[TITLE]), _whole(rows[CHANGES]), ranges)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
