"""How often each title was changed in many hours, counted hour by hour in bounded memory.

Edits and new pages count, without those of bots, and of each editor at most three changes of a title an
hour: a flood by one of them is as little usual as it is unusual.
"""

from collections.abc import Callable, Iterable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from wiki_common.baseline import (
    CHANGES,
    COLUMNS,
    COUNTED_TYPES,
    MOST_OF_ONE,
    NAMESPACE,
    TITLE,
    TITLES,
    WIKI,
)
from wiki_common.store.place import Place
from wiki_consumer.volume.raw_files import SCHEMA as ROWS
from wiki_consumer.volume.raw_files import UnreadableFile, read_rows

SCHEMA: Final = pa.schema(list(COLUMNS.items()))
MOST_TITLES: Final = 1_000_000
"""A reader holds them all, some 50 bytes each."""
# Of all wikis, so many rows have at most a million titles with counted changes.
ROWS_AT_ONCE: Final = 2_000_000
_PENDING: Final = 200_000
_READ: Final = pa.schema([ROWS.field(name) for name in (WIKI, NAMESPACE, TITLE, "user", "type", "bot")])
_COUNTS: Final = pa.schema([SCHEMA.field(name) for name in (WIKI, TITLE, NAMESPACE, CHANGES)])
_BYTES: Final = pa.array([bytes([byte]) for byte in range(256)], pa.binary())


def parts_for(rows: int, at_once: int = ROWS_AT_ONCE) -> int:
    """In how many parts so many rows are counted, one after another: a power of two."""
    parts = 1
    while rows > parts * at_once:
        parts *= 2
    return parts


def count_titles(
    files: Iterable[Place], parts: int, on_fault: Callable[[UnreadableFile], None], most: int = MOST_TITLES
) -> tuple[pa.Table, int]:
    """The rows of SCHEMA that `files`, an hour each, give; and the fewest changes of a title with a row.

    A part has the titles that end in some of all bytes. Files that can't be read are told, once, and passed
    over. At most `most` titles have a row, those with the most changes.
    """
    readable, groups, titles, least = list(files), [], _COUNTS.empty_table(), 1
    for part in range(parts):
        counts = _Sum()
        for file in tuple(readable):
            try:
                counts.add(_counts_of(file, part, parts))
            except UnreadableFile as error:
                readable.remove(file)
                on_fault(error)
        groups.append(_of_groups(counts.total()))
        titles, least = _most_changed(titles, counts.total(), least, most)
    ordered = titles.sort_by([(WIKI, "ascending"), (TITLE, "ascending")])
    singles = ordered.append_column(TITLES, pa.repeat(pa.scalar(1, pa.int64()), ordered.num_rows))
    return pa.concat_tables([_joined(groups), singles.select(SCHEMA.names)]), least


class _Sum:
    """Sums counts as they come; it holds little more than one row for each title."""

    def __init__(self) -> None:
        self._tables = [_COUNTS.empty_table()]

    def add(self, counts: pa.Table) -> None:
        self._tables.append(counts)
        pending = sum(table.num_rows for table in self._tables[1:])
        if pending > max(_PENDING, self._tables[0].num_rows // 2):
            self.total()

    def total(self) -> pa.Table:
        if len(self._tables) > 1:
            self._tables = [_summed(pa.concat_tables(self._tables))]
        return self._tables[0]


def _counts_of(file: Place, part: int, parts: int) -> pa.Table:
    rows = read_rows(file, _READ.names)
    try:
        return _damped(_in_part(rows.select(_READ.names).cast(_READ), part, parts))
    except pa.ArrowException as error:
        raise UnreadableFile(file, error) from error


def _in_part(rows: pa.Table, part: int, parts: int) -> pa.Table:
    """Those that count, of the titles in a part."""
    counts = pc.is_in(rows["type"], pa.array(COUNTED_TYPES))
    chosen = rows.filter(pc.and_(counts, pc.invert(pc.fill_null(rows["bot"], False))))
    if parts == 1:
        return chosen
    last = pc.binary_slice(chosen[TITLE].cast(pa.binary()), -1)
    number = pc.fill_null(pc.index_in(last, _BYTES), 0)
    return chosen.filter(pc.equal(pc.bit_wise_and(number, parts - 1), part))


def _damped(rows: pa.Table) -> pa.Table:
    """The counts of one hour."""
    grouped = rows.group_by([WIKI, TITLE, "user"], use_threads=False)
    by_editor = grouped.aggregate([(NAMESPACE, "max"), ([], "count_all")])
    changes = pc.min_element_wise(by_editor["count_all"], pa.scalar(MOST_OF_ONE, pa.int64()))
    columns = [by_editor[WIKI], by_editor[TITLE], by_editor[f"{NAMESPACE}_max"], changes]
    return _summed(pa.table(columns, schema=_COUNTS))


def _summed(counts: pa.Table) -> pa.Table:
    grouped = counts.group_by([WIKI, TITLE], use_threads=False)
    summed = grouped.aggregate([(NAMESPACE, "max"), (CHANGES, "sum")])
    return summed.rename_columns(_COUNTS.names).cast(_COUNTS)


def _most_changed(titles: pa.Table, more: pa.Table, least: int, most: int) -> tuple[pa.Table, int]:
    """The rows of both tables, `most` at most, and the fewest changes of one: `least` or more."""
    rows = pa.concat_tables([titles, more.filter(pc.field(CHANGES) >= least)])
    if rows.num_rows <= most:
        return rows, least
    first_left_out = pc.sort_indices(rows[CHANGES], sort_keys=[("", "descending")])[most]
    least = rows[CHANGES][first_left_out.as_py()].as_py() + 1
    return rows.filter(pc.field(CHANGES) >= least), least


def _of_groups(counts: pa.Table) -> pa.Table:
    """A row for each wiki and namespace."""
    grouped = counts.group_by([WIKI, NAMESPACE], use_threads=False)
    summed = grouped.aggregate([(CHANGES, "sum"), (CHANGES, "count")])
    untitled = pa.nulls(summed.num_rows, pa.string())
    columns = [
        summed[WIKI],
        summed[NAMESPACE],
        untitled,
        summed[f"{CHANGES}_sum"],
        summed[f"{CHANGES}_count"],
    ]
    return pa.table(columns, names=SCHEMA.names).cast(SCHEMA)


def _joined(groups: list[pa.Table]) -> pa.Table:
    """The groups of all parts, in order."""
    grouped = pa.concat_tables(groups).group_by([WIKI, NAMESPACE], use_threads=False)
    summed = grouped.aggregate([(CHANGES, "sum"), (TITLES, "sum")])
    untitled = pa.nulls(summed.num_rows, pa.string())
    columns = [summed[WIKI], summed[NAMESPACE], untitled, summed[f"{CHANGES}_sum"], summed[f"{TITLES}_sum"]]
    joined = pa.table(columns, names=SCHEMA.names).cast(SCHEMA)
    return joined.sort_by([(WIKI, "ascending"), (NAMESPACE, "ascending")])
