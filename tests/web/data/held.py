"""Looks into a store, and changes on NOON's day."""

from datetime import timedelta
from typing import Any

from web.committed import NOON, Change
from wiki_web.data.answers import Answer, answer_of
from wiki_web.data.documents import LIST_NAMES
from wiki_web.data.queries import Query
from wiki_web.data.store import Store

HOUR = timedelta(hours=1)
ALL_DAY = Query("top", timedelta(hours=23), 500, types=None)


def counted(store: Store) -> dict[str, int]:
    """Changes per title over nearly all that is held."""
    _, as_of_us, run = store.prepare(ALL_DAY)
    return {row["title"]: row["changes"] for row in listed(answer_of(ALL_DAY, as_of_us, run()))}


def document(answer: Answer) -> dict[str, Any]:
    """The answer's JSON."""
    found: dict[str, Any] = answer.document("live").model_dump(mode="json")
    return found


def listed(answer: Answer) -> list[dict[str, Any]]:
    """The items in its JSON."""
    items: list[dict[str, Any]] = document(answer)[LIST_NAMES[answer.query.kind]]
    return items


def at(hour: int, minute: int, title: str) -> Change:
    return Change(NOON + timedelta(hours=hour - 12, minutes=minute), title)
