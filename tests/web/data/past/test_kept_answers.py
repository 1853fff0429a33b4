"""Which answers of past moments are kept, and until when they hold."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pytest

from web.committed import NOON, Change, CommittedChanges
from web.data.held import HOUR
from web.data.past.stored import CLOSED_UNTIL, DAWN, Stored, at, some_rows
from wiki_common.coverage import Coverage
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.queries import Query, Statement
from wiki_web.data.rows import Hour

SECOND = timedelta(seconds=1)
CLOSED = at(DAWN + 2 * HOUR, Query("timeline", HOUR, 20, types=None))
OPEN = at(NOON - HOUR, Query("timeline", HOUR / 2, 20, types=None))


class CountingEngine(DuckDBEngine):
    """Counts what is computed of past moments, and of what is held."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    def compute(self, statement: Statement, hours: Sequence[Hour], rows: pa.Table) -> pa.Table:
        self.asked["stored"] += 1
        return super().compute(statement, hours, rows)

    def prepare(self, statement: Statement) -> Callable[[], pa.Table]:
        self.asked["held"] += 1
        return super().prepare(statement)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def engine() -> Iterator[CountingEngine]:
    counting = CountingEngine()
    yield counting
    counting.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stored(committed: CommittedChanges, engine: CountingEngine, clock: Clock, seed: int) -> Stored:
    stored = Stored(committed, engine, some_rows(random.Random(seed), 200), clock)
    engine.asked.clear()
    return stored


def etag(stored: Stored, query: Query) -> str:
    cached, state = stored.past.get(query)
    return cached.as_json(state).etag


def test_a_moment_in_closed_hours_is_computed_once_whatever_is_committed(
    stored: Stored, engine: CountingEngine, clock: Clock
) -> None:
    first = etag(stored, CLOSED)
    stored.committed.commit(Change(NOON + SECOND), covered=Coverage(NOON + SECOND))
    stored.store.refresh()
    clock.now += 86_400
    assert etag(stored, CLOSED) == first
    assert engine.asked == {"stored": 1}


def test_an_hour_that_was_written_anew_is_read_anew(stored: Stored, engine: CountingEngine) -> None:
    first = etag(stored, CLOSED)
    stored.rows.append(Change(DAWN + 2 * HOUR - SECOND, "recovered"))
    stored.close_hours(DAWN + HOUR, DAWN + 2 * HOUR)
    stored.check(CLOSED)
    assert etag(stored, CLOSED) != first
    assert engine.asked == {"stored": 2}


def test_a_moment_whose_changes_are_still_told_is_computed_again_after_some_seconds(
    stored: Stored, engine: CountingEngine, clock: Clock
) -> None:
    first = etag(stored, OPEN)
    late = Change(NOON - HOUR - SECOND, "told late")
    stored.rows.append(late)
    stored.committed.commit(late, covered=Coverage(NOON + SECOND))
    stored.store.refresh()
    clock.now += 4.9
    assert etag(stored, OPEN) == first
    clock.now += 0.2
    stored.check(OPEN)
    assert etag(stored, OPEN) != first
    assert engine.asked == {"held": 2}


def test_once_its_hours_are_closed_a_moment_is_answered_from_them(
    stored: Stored, engine: CountingEngine
) -> None:
    first = etag(stored, OPEN)
    stored.close_hours(CLOSED_UNTIL, NOON)
    stored.check(OPEN)
    assert etag(stored, OPEN) == first, "the same changes"
    assert engine.asked == {"held": 1, "stored": 1}


def test_each_moment_and_filter_has_its_own_etag(stored: Stored) -> None:
    queries = [
        CLOSED,
        replace(CLOSED, bots="only"),
        OPEN,
        at(DAWN + 2 * HOUR + SECOND, CLOSED),
    ]
    assert len({etag(stored, query) for query in queries}) == len(queries)


def test_no_more_answers_are_kept_than_may_be(stored: Stored, engine: CountingEngine) -> None:
    for limit in range(1, 71):
        stored.answer(replace(CLOSED, limit=limit))
    for limit in range(7, 71):
        stored.answer(replace(CLOSED, limit=limit))
    assert engine.asked == {"stored": 70}
    stored.answer(replace(CLOSED, limit=6))
    assert engine.asked == {"stored": 71}
