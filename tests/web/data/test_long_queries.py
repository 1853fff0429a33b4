"""A query about too many changes is refused with their number; one about fewer at the same time is not."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from web.committed import NOON, Change, CommittedChanges
from web.data.held import ALL_DAY, HOUR, at
from wiki_web.data.answers import answer_of
from wiki_web.data.engines import duckdb_engine
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.engines.engine import Engine
from wiki_web.data.long_queries import TooManyChanges
from wiki_web.data.queries import KINDS, Kind, Query
from wiki_web.data.store import Store


@pytest.fixture
def store(committed: CommittedChanges, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Store:
    """It counts up to 40 changes at once, and has 83, three of which it holds."""
    monkeypatch.setattr(engine, "most_held", 0)
    monkeypatch.setattr(engine, "most_counted", 40)
    for hour in range(2, 10):
        rows = [at(hour, 5 * number, f"hour {hour}") for number in range(10)]
        committed.close_hour(NOON + (hour - 12) * HOUR, rows)
    committed.commit(*(at(10, minute, "new") for minute in range(3)))
    found = Store(committed.data_dir, engine, 24 * HOUR)
    found.refresh()
    return found


def changes(store: Store, query: Query) -> int:
    _, as_of_us, run = store.prepare(query)
    return answer_of(query, as_of_us, run()).sums.totals.changes


@pytest.mark.parametrize("kind", KINDS)
def test_a_window_with_too_many_is_refused_and_a_shorter_or_narrower_one_answered(
    store: Store, kind: Kind
) -> None:
    query = replace(ALL_DAY, kind=kind)
    with pytest.raises(
        TooManyChanges, match=r"^window: 23h has 83 such changes, and 40 can be counted at once: "
    ):
        changes(store, query)
    assert changes(store, replace(query, window=3 * HOUR)) == 32
    assert changes(store, replace(query, window=HOUR / 60)) == 1
    assert changes(store, replace(query, wikis=("dewiki",))) == 0
    if kind != "top":
        assert changes(store, replace(query, title="hour 2")) == 10


@pytest.mark.parametrize("kind", ["top", "unusual"])
def test_a_day_of_titles_that_are_changed_once_is_counted_in_little_memory(
    committed: CommittedChanges, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    """What a title's changes were is not kept of those that aren't listed."""
    monkeypatch.setitem(duckdb_engine._CONFIG, "memory_limit", "85MB")
    rows = [
        Change(NOON + timedelta(milliseconds=10 * number), title=f"{number}") for number in range(100_000)
    ]
    committed.close_hour(NOON, rows)
    committed.commit(Change(NOON + HOUR))
    with closing(DuckDBEngine(most_held=0)) as engine:
        store = Store(committed.data_dir, engine, 24 * HOUR)
        store.refresh()
        assert changes(store, replace(ALL_DAY, kind=kind)) == 100_001
