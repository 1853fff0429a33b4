"""The hours of the window that an engine doesn't hold: a query that reaches them reads their files.

What is held has to fit into memory, however many changes a day has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wiki_common.store.several import each_of
from wiki_web.data.footers import read_metadata
from wiki_web.data.rows import Hour, boundary_of, microseconds

MOST_HELD: Final = 500_000
"""Rows: a day of English Wikipedia. Those of no closed hour are held however many they are."""


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
