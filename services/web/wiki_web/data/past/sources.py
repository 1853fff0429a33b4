"""Where the rows of a past moment's window are: which closed hours to read, and what is held."""

from dataclasses import dataclass
from typing import Final

from wiki_web.data.past.kept import Kept, KeptHour
from wiki_web.data.queries import Statement

_ROWS: Final = "SELECT {names} FROM changes WHERE event_us >= :from_us AND event_us <= :until_us"


@dataclass(frozen=True)
class Sources:
    """The rows in `hours`, and of those held the ones from `held_from_us` on; None for none of them.

    They are all that there are if each row after `needed_us` is held.
    """

    hours: tuple[KeptHour, ...]
    held_from_us: int | None
    needed_us: int

    @property
    def immutable(self) -> bool:
        """Whether they are the same at any later time: a closed hour stays as it is."""
        return self.held_from_us is None


def sources_of(after_us: int, until_us: int, kept: Kept, forgotten_us: int) -> Sources:
    """Of (after, until], each row once: the history has all before its end, and all from there on are held.

    A window that ends before the history does is answered by its hours. Of a later one all is held if it
    reaches no further back than to `forgotten_us`.
    """
    end_us = kept.end_us
    if until_us < end_us:
        return Sources(kept.between(after_us, until_us), None, forgotten_us)
    if after_us >= forgotten_us or not kept.hours:
        return Sources((), 0, max(after_us, forgotten_us))
    return Sources(kept.between(after_us, end_us - 1), end_us, end_us - 1)


def rows_statement(names: list[str], from_us: int, until_us: int) -> Statement:
    """The rows that are held of this time, both its ends included."""
    sql = _ROWS.format(names=", ".join(names))
    return Statement(sql, {"from_us": from_us, "until_us": until_us}, from_us - 1)
