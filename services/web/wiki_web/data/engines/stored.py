"""The hours of the window that an engine doesn't hold: a query that reaches them reads their files.

What is held has to fit into memory, however many changes a day has.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import pyarrow as pa

from wiki_common.store.place import Place
from wiki_common.store.several import each_of
from wiki_web.data.engines.engine import EngineError
from wiki_web.data.footers import read_metadata
from wiki_web.data.queries import Statement
from wiki_web.data.rows import SCHEMA, Hour, boundary_of, microseconds, one_of, read_matching, within

MOST_HELD: Final = 500_000
"""Rows: a day of English Wikipedia. Those of no closed hour are held however many they are."""
# Parameters of a statement, and the column that each is compared with as it is stored.
_CHOSEN_BY: Final = {"types": "type", "namespaces": "namespace", "wikis": "wiki"}


@dataclass(frozen=True)
class StoredHours:
    """Closed hours, oldest first, and how many rows each has; all of them lie before what is held."""

    hours: tuple[Hour, ...] = ()
    rows: tuple[int, ...] = ()

    @property
    def boundary_us(self) -> int:
        """Up to this time (µs) the files count, from it on what is held does."""
        return boundary_of(self.hours)

    def reached(self, after_us: int) -> list[Hour]:
        """Those with rows after `after_us`; one that was deleted since, as too old, counts no more."""
        reached = [hour for hour in self.hours if microseconds(hour.end) > after_us]
        there = each_of([hour.path for hour in reached], lambda file: file.exists())
        return [hour for hour, exists in zip(reached, there, strict=True) if exists]

    def rows_after(self, after_us: int) -> int:
        """How many rows those have."""
        counted = zip(self.hours, self.rows, strict=True)
        return sum(rows for hour, rows in counted if microseconds(hour.end) > after_us)


NONE_STORED: Final = StoredHours()


def stored_hours(
    hours: Sequence[Hour], horizon_us: int, tail_rows: int, most_held: int, stored_until_us: int = 0
) -> StoredHours:
    """Which of the hours that end after `horizon_us` stay in their files: the oldest, if not all have room.

    Of the others and of `tail_rows` rows that belong to no closed hour, at most `most_held` are held. What
    ends by `stored_until_us` stays there in any case. Raises FileNotFoundError or RowsError.
    """
    wanted = [hour for hour in hours if microseconds(hour.end) > horizon_us]
    rows = list(each_of([hour.path for hour in wanted], lambda file: int(read_metadata(file).num_rows)))
    room = most_held - tail_rows
    for index in reversed(range(len(wanted))):
        room -= rows[index]
        if room < 0 or microseconds(wanted[index].end) <= stored_until_us:
            return StoredHours(tuple(wanted[: index + 1]), tuple(rows[: index + 1]))
    return NONE_STORED


def names_in(statement: Statement) -> list[str]:
    """The columns that a statement needs, and those that are named like any of its words."""
    words = set(re.findall(r"\w+", statement.sql))
    return [name for name in SCHEMA.names if name in words]


def no_rows(names: Sequence[str]) -> pa.Table:
    """Of these columns."""
    return pa.schema([SCHEMA.field(name) for name in names]).empty_table()


def with_stored(
    rows: pa.Table, statement: Statement, files: Sequence[Place], *, most_bytes: int, at_once: int = 1
) -> pa.Table:
    """`rows`, and those in `files` that the statement may choose, of the columns that `rows` has.

    So many files are read `at_once`; one alone by the calling thread. Raises EngineError beyond `most_bytes`
    in Arrow's memory, FileNotFoundError or RowsError.
    """
    matching = within(statement.after_us, cast("int | None", statement.parameters.get("to_us")))
    for parameter, name in _CHOSEN_BY.items():
        if isinstance(values := statement.parameters.get(parameter), list):
            matching &= one_of(name, values)
    tables = [rows]
    for first in range(0, len(files), at_once):
        part = files[first : first + at_once]
        tables.append(read_matching(part, matching, rows.column_names, threads=at_once > 1))
        if sum(table.nbytes for table in tables) > most_bytes:
            raise EngineError(f"more than {most_bytes} bytes of stored rows at once")
    return pa.concat_tables(tables)
