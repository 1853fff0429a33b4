"""A volume with closed hours and raw files, of which a part is held, and the exact answers of its moments."""

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from web.committed import NOON, Change, CommittedChanges
from web.data.held import HOUR, document, listed
from web.data.plain_count import BORDERS, ODD_TITLES, chosen, end_of, expected_lists, expected_top
from wiki_common.coverage import Coverage
from wiki_common.volume import hour_of
from wiki_web.data.answer_cache import AnswerCache
from wiki_web.data.answers import Answer
from wiki_web.data.engines.engine import Engine
from wiki_web.data.past.past_answers import PastAnswers
from wiki_web.data.queries import Query
from wiki_web.data.rows import microseconds
from wiki_web.data.store import Store

DAWN = NOON - 6 * HOUR
"""The first hour that is kept begins here; everything is counted up to NOON."""
CLOSED_UNTIL = NOON - 2 * HOUR


class Stored:
    """The hours up to CLOSED_UNTIL are closed. Raw files have the last of them, too, and all that came after.

    The engine holds the rows of `max_window`, and all after CLOSED_UNTIL.
    """

    def __init__(
        self,
        committed: CommittedChanges,
        engine: Engine,
        rows: Iterable[Change],
        clock: Callable[[], float] = time.monotonic,
        max_window: timedelta = 3 * HOUR,
    ) -> None:
        self.committed = committed
        self.rows = list(rows)
        self.close_hours(DAWN, CLOSED_UNTIL)
        raw = [row for row in self.rows if row.event_time >= CLOSED_UNTIL - HOUR]
        for half in (raw[::2], raw[1::2]):
            committed.commit(*half, covered=Coverage(NOON))
        self.store = Store(committed.data_dir, engine, max_window)
        self.store.refresh()
        self.live = AnswerCache(self.store, Query("top", HOUR, 20))
        self.past = PastAnswers(self.store, engine, committed.data_dir, self.live, clock)

    def close_hours(self, start: datetime, end: datetime) -> None:
        while start < end:
            rows = [row for row in self.rows if hour_of(row.event_time) == start]
            if rows:
                self.committed.close_hour(start, rows)
            start += HOUR

    def answer(self, query: Query) -> Answer:
        cached, state = self.past.get(query)
        assert state == "past"
        return cached.answer

    def check(self, query: Query) -> None:
        """The answer is that of a plain count over the same rows."""
        answer = self.answer(query)
        found = document(answer)
        end = end_of(self.rows, query)
        inside = chosen(self.rows, query, end - query.window, end)
        assert answer.as_of == end
        assert found["totals"]["changes"] == len(inside)
        assert found["wikis"] == sorted({row.wiki for row in inside})
        if query.kind == "top":
            expected = expected_top(self.rows, query)
            assert _like(expected["titles"], found["titles"]) == expected["titles"]
            assert found["totals"] == expected["totals"]
        else:
            assert _picked(answer) == expected_lists(self.rows, query)


def _like(expected: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = expected[0] if expected else ()
    return [{name: title[name] for name in names} for title in found]


def _picked(answer: Answer) -> list[tuple[Any, ...]]:
    names = {
        "timeline": ("changes",),
        "changes": ("id", "title", "user"),
        "editors": ("rank", "user", "changes"),
        "unusual": ("wiki", "title", "changes", "counted", "editors"),
    }
    return [tuple(row[name] for name in names[answer.query.kind]) for row in listed(answer)]


def at(moment: datetime, query: Query) -> Query:
    return replace(query, to_us=microseconds(moment))


def some_rows(chance: random.Random, count: int) -> list[Change]:
    """From DAWN to NOON, many of them at the ends of hours and of windows that end with an hour."""
    return [
        Change(
            event_time=_some_time(chance),
            title=chance.choice(ODD_TITLES),
            user=chance.choice(["Ada", "~2026-10417-3", "=cmd", None]),
            type=chance.choice(["edit", "new", "log", "categorize"]),
            bot=chance.choice([True, False, None]),
            namespace=chance.choice([0, 1, -1, None]),
            wiki=chance.choice(["enwiki", "dewiki"]),
            length_old=chance.choice([None, 0, 100]),
            length_new=chance.choice([None, 0, 90, -1]),
            event_id=f"event-{number:05}",
            revision=number + 1,
        )
        for number in range(count)
    ]


def _some_time(chance: random.Random) -> datetime:
    ends = (DAWN + hours * HOUR for hours in range(1, 7))
    at_a_border = chance.choice(list(ends)) - timedelta(seconds=chance.choice(BORDERS[:-1]))
    return chance.choice([at_a_border, NOON - timedelta(seconds=chance.randrange(6 * 3600))])


def some_moment(chance: random.Random) -> datetime:
    """After DAWN, up to NOON: an hour's end, a moment beside one, or any."""
    border = DAWN + chance.randint(1, 6) * HOUR + timedelta(microseconds=chance.choice([-1, 0, 1]))
    return min(NOON, chance.choice([border, NOON - timedelta(seconds=chance.randrange(6 * 3600 - 1))]))
