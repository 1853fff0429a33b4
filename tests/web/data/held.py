"""Looks into a store, and changes on NOON's day."""

from datetime import timedelta

from web.committed import NOON, Change
from wiki_web.data.answers import answer_of
from wiki_web.data.queries import Query
from wiki_web.data.store import Store

HOUR = timedelta(hours=1)
ALL_DAY = Query("top", timedelta(hours=23), 500, types=None)


def counted(store: Store) -> dict[str, int]:
    """Changes per title over nearly all that is held."""
    _, as_of_us, run = store.prepare(ALL_DAY)
    return {row["title"]: row["changes"] for row in answer_of(ALL_DAY, as_of_us, run()).rows}


def at(hour: int, minute: int, title: str) -> Change:
    return Change(NOON + timedelta(hours=hour - 12, minutes=minute), title)
