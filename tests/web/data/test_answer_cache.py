"""One computation per query and commit, shared by all who ask; no more is kept than may be."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyarrow as pa
import pytest

from harness.processes import wait_until
from web.committed import Change, CommittedChanges, now
from wiki_web.data.answer_cache import AnswerCache, Busy
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.engines.engine import EngineError
from wiki_web.data.long_queries import TooManyChanges
from wiki_web.data.queries import Query
from wiki_web.data.store import Position, Store

WINDOW = timedelta(minutes=30)
DEFAULT = Query("top", WINDOW, 20)


class GatedStore(Store):
    """Counts what is computed; each computation waits while the gate is shut."""

    def __init__(self, committed: CommittedChanges, engine: DuckDBEngine) -> None:
        super().__init__(committed.data_dir, engine, timedelta(hours=24))
        self.gate = threading.Event()
        self.gate.set()
        self.asked: Counter[Query] = Counter()
        self.failing = False
        self.failures: dict[Query, Exception] = {}

    def prepare(
        self, query: Query, totals_at: Position | None = None
    ) -> tuple[Position, int, Callable[[], pa.Table]]:
        self.asked[query] += 1
        position, as_of_us, run = super().prepare(query, totals_at)
        assert self.gate.wait(60)
        if self.failing:
            raise EngineError("asked to fail")
        if query in self.failures:
            raise self.failures[query]
        return position, as_of_us, run


@pytest.fixture
def gated(committed: CommittedChanges, duckdb_engine: DuckDBEngine) -> Iterator[GatedStore]:
    committed.commit(*[Change(now(), f"Title {number}") for number in range(600)])
    store = GatedStore(committed, duckdb_engine)
    store.refresh()
    yield store
    store.gate.set()


def all_at_once(work: Callable[[], object], threads: int, gated: GatedStore) -> list[object]:
    """What `threads` calls give that all begin while the first is being computed."""
    gated.gate.clear()
    begun = threading.Barrier(threads + 1)

    def begin() -> object:
        begun.wait(60)
        return work()

    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(begin) for _ in range(threads)]
        begun.wait(60)
        gated.gate.set()
        return [future.result(60) for future in futures]


def test_what_many_ask_at_once_is_computed_once(gated: GatedStore) -> None:
    answers = AnswerCache(gated, DEFAULT)
    found = all_at_once(lambda: answers.get(DEFAULT), 16, gated)
    assert len({id(cached) for cached in found}) == 1
    assert gated.asked == {DEFAULT: 1}


def test_a_failed_computation_fails_for_those_who_waited_and_is_tried_again(gated: GatedStore) -> None:
    answers = AnswerCache(gated, DEFAULT)
    gated.failing = True
    with pytest.raises(EngineError, match="asked to fail"):
        answers.get(DEFAULT)
    gated.failing = False
    assert answers.get(DEFAULT).answer.sums.totals.changes == 600


def test_while_a_new_commit_is_computed_the_answer_of_the_one_before_is_given(
    gated: GatedStore, committed: CommittedChanges
) -> None:
    answers = AnswerCache(gated, DEFAULT)
    answers.refresh()
    before = answers.get(DEFAULT)
    committed.commit(Change(now(), "new"))
    gated.refresh()
    gated.gate.clear()
    refreshing = threading.Thread(target=answers.refresh)
    refreshing.start()
    assert answers.get(DEFAULT) is before
    gated.gate.set()
    refreshing.join()
    assert answers.get(DEFAULT).answer.sums.totals.changes == 601
    assert gated.asked == {DEFAULT: 2}


def test_answers_over_the_same_rows_share_their_totals(
    gated: GatedStore, committed: CommittedChanges
) -> None:
    answers = AnswerCache(gated, DEFAULT)
    same, other = Query("timeline", WINDOW, 20), Query("timeline", WINDOW, 20, types=None)
    for _ in range(2):
        sums = [answers.get(query).answer.sums for query in (DEFAULT, same, other)]
        assert sums[0] is sums[1] is not sums[2] == sums[0]
        committed.commit(Change(now(), "new"))
        gated.refresh()
        answers.refresh()
    assert answers.get(same).answer.sums.totals.changes == 602


def test_totals_are_those_of_the_commit_that_a_list_is_of(
    gated: GatedStore, committed: CommittedChanges, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit comes between the look for known totals and the list."""
    answers = AnswerCache(gated, DEFAULT)
    answers.get(DEFAULT)
    prepare = gated.prepare

    def late(query: Query, totals_at: Position | None) -> tuple[Position, int, Callable[[], pa.Table]]:
        committed.commit(Change(now(), "new"))
        gated.refresh()
        return prepare(query, totals_at)

    monkeypatch.setattr(gated, "prepare", late)
    assert answers.get(Query("timeline", WINDOW, 20)).answer.sums.totals.changes == 601


OTHER = Query("top", timedelta(hours=24), 20)


@pytest.mark.parametrize("failure", [EngineError("asked to fail"), TooManyChanges(OTHER, 2, 1)])
def test_a_query_that_fails_at_a_refresh_holds_up_no_other_and_is_told_to_who_asks(
    gated: GatedStore, committed: CommittedChanges, failure: Exception
) -> None:
    answers = AnswerCache(gated, DEFAULT)
    for query in (DEFAULT, OTHER):
        answers.get(query)
    gated.failures[OTHER] = failure
    committed.commit(Change(now(), "new"))
    gated.refresh()
    answers.refresh()
    assert answers.at_hand() is not None
    assert answers.get(DEFAULT).position == gated.position
    with pytest.raises(type(failure)):
        answers.get(OTHER)
    gated.failures = {DEFAULT: failure}
    committed.commit(Change(now(), "new"))
    gated.refresh()
    with pytest.raises(type(failure)):
        answers.refresh()


def test_no_answer_is_older_than_one_refresh_however_many_queries_are_polled(
    gated: GatedStore, committed: CommittedChanges
) -> None:
    """Four pages, each of three queries; a page's viewer may come back after any number of commits.

    No answer takes any time here.
    """
    answers = AnswerCache(gated, DEFAULT, clock=lambda: 0.0)
    queries = [Query("top", WINDOW, limit) for limit in range(1, 13)]
    for number in range(1, 9):
        before = gated.position
        committed.commit(Change(now(), "new"))
        gated.refresh()
        for query in queries[: 3 * (number % 5)]:
            assert answers.get(query).position in (before, gated.position)
        answers.refresh()
        for query in queries:
            assert answers.get(query).position == gated.position


@pytest.mark.parametrize(("polled", "cost", "oldest"), [(1, 1.0, 5.0), (3, 1.0, 5.0), (1, 6.0, 24.0)])
def test_answers_that_take_long_hold_up_the_default_one_at_a_time_and_are_not_old(
    committed: CommittedChanges, duckdb_engine: DuckDBEngine, polled: int, cost: float, oldest: float
) -> None:
    """A default answer takes 0.1 s here, one over a day `cost`."""
    time = 0.0
    wide = [Query("top", timedelta(hours=24), 1 + number) for number in range(polled)]

    class SlowStore(GatedStore):
        def prepare(
            self, query: Query, totals_at: Position | None = None
        ) -> tuple[Position, int, Callable[[], pa.Table]]:
            nonlocal time
            time += cost if query in wide else 0.1
            return super().prepare(query, totals_at)

    committed.commit(Change(now()))
    store = SlowStore(committed, duckdb_engine)
    answers = AnswerCache(store, DEFAULT, clock=lambda: time)
    store.refresh()
    for query in (DEFAULT, *wide):
        answers.get(query)
    longest = 0.0
    for _ in range(60):
        time += 0.5
        committed.commit(Change(now()))
        store.refresh()
        began = time
        answers.refresh()
        longest = max(longest, time - began)
        assert answers.get(DEFAULT).position == store.position
        for query in wide:
            assert time - answers.get(query).computed_at < oldest
    assert longest < cost + 0.2
    assert store.asked[DEFAULT] == 61
    assert sum(store.asked[query] for query in wide) * cost < 0.7 * time


def test_too_many_different_queries_at_once_are_refused(gated: GatedStore) -> None:
    answers = AnswerCache(gated, DEFAULT)
    gated.gate.clear()
    threads = [
        threading.Thread(target=answers.get, args=(Query("top", WINDOW, limit),)) for limit in range(1, 9)
    ]
    for thread in threads:
        thread.start()
    wait_until(lambda: gated.asked.total() == len(threads), timeout=30, what="all are being computed")
    with pytest.raises(Busy):
        answers.get(Query("top", WINDOW, 99))
    gated.gate.set()
    for thread in threads:
        thread.join()


def test_no_more_answers_and_rows_are_kept_than_may_be(gated: GatedStore) -> None:
    answers = AnswerCache(gated, DEFAULT)
    for seconds in range(60, 200):
        answers.get(Query("top", timedelta(seconds=seconds), 1))
    assert len(answers) == 128
    for seconds in range(60, 110):
        answers.get(Query("top", timedelta(seconds=seconds), 500))
    assert answers.rows <= 20_000
