"""The newest changes of the first titles: exact on both engines, and computed when a title has changed."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random

import pyarrow as pa
import pytest

from harness.processes import wait_until
from web.committed import NOON, Change, CommittedChanges
from web.data.held import HOUR
from web.data.plain_count import ODD_TITLES, chosen, end_of
from wiki_web.data.answers import Answer, answer_of
from wiki_web.data.documents import RankedTitle
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.queries import Query, Statement
from wiki_web.data.reasons import FIRST, FirstReasons, Reasons, page_of
from wiki_web.data.store import Store

TOP = Query("top", HOUR / 2, 20)
SECOND = timedelta(seconds=1)


def answer(store: Store, query: Query = TOP) -> Answer:
    _, as_of_us, run = store.prepare(query)
    return answer_of(query, as_of_us, run())


def ids(reasons: Reasons) -> dict[tuple[str | None, str], list[str]]:
    return {page: [change.id for change in changes] for page, changes in reasons.items()}


def some_rows(random: Random, batch: int) -> list[Change]:
    """Many of one time; some titles are on two wikis."""
    return [
        Change(
            NOON - timedelta(seconds=random.choice([0, 1, 1, 60, random.randrange(2400)])),
            random.choice(ODD_TITLES[:5]),
            random.choice(["Ada", "~2026-10417-3", None]),
            type=random.choice(["edit", "edit", "new", "log"]),
            bot=random.random() < 0.3,
            wiki=random.choice(["enwiki", "enwiki", "dewiki"]),
            event_id=f"event-{batch}-{number:03}",
        )
        for number in range(random.choice([4, 40, 120]))
    ]


def test_they_are_what_a_plain_count_finds(store: Store, committed: CommittedChanges, seed: int) -> None:
    random = Random(seed)
    asked = [
        TOP,
        replace(TOP, window=timedelta(minutes=1)),
        replace(TOP, window=2 * HOUR, types=None, bots="exclude"),
        replace(TOP, editors="anonymous", wikis=("enwiki",)),
    ]
    rows: list[Change] = []
    for batch in range(3):
        arrived = some_rows(random, batch)
        rows += arrived
        committed.commit(*arrived)
        store.refresh()
        for query in asked:
            top = answer(store, query)
            end = end_of(rows, query)
            inside = sorted(
                chosen(rows, query, end - query.window, end), key=lambda row: (row.event_time, row.event_id)
            )
            assert ids(FirstReasons(store).of(top)) == {
                (title.wiki, title.title): [
                    row.event_id for row in reversed(inside) if (row.wiki, row.title) == page_of(title)
                ][:3]
                for title in top.items[:FIRST]
                if isinstance(title, RankedTitle)
            }


class WatchedStore(Store):
    """Counts what is asked for, and lets it wait until `go` is set."""

    go: threading.Event
    asked = 0

    def prepare_at_newest(self, statement: Callable[[int], Statement]) -> Callable[[], pa.Table]:
        self.asked += 1
        run = super().prepare_at_newest(statement)

        def after_go() -> pa.Table:
            assert self.go.wait(60)
            return run()

        return after_go


@pytest.fixture
def watched(committed: CommittedChanges, duckdb_engine: DuckDBEngine) -> WatchedStore:
    """Four titles, the first with most changes."""
    store = WatchedStore(committed.data_dir, duckdb_engine, 24 * HOUR)
    store.go = threading.Event()
    store.go.set()
    committed.commit(*(Change(NOON - n * SECOND, title) for n, title in enumerate("AAAAABBBBCCCD")))
    store.refresh()
    return store


def commit(committed: CommittedChanges, store: Store, title: str, event_id: str = "") -> Answer:
    committed.commit(Change(NOON + SECOND, title, event_id=event_id))
    store.refresh()
    return answer(store)


def test_they_are_computed_again_only_when_a_title_has_changed(
    committed: CommittedChanges, watched: WatchedStore
) -> None:
    reasons = FirstReasons(watched)
    first = ids(reasons.of(answer(watched)))
    assert [len(found) for found in first.values()] == [3, 3, 3]
    assert ids(reasons.of(answer(watched))) == first
    elsewhere = commit(committed, watched, "D")
    assert ids(reasons.of(elsewhere)) == first
    assert watched.asked == 1
    changed = commit(committed, watched, "A", "the newest")
    wait_until(
        lambda: ids(reasons.of(changed))["enwiki", "A"][0] == "the newest", timeout=30, what="they follow"
    )
    assert watched.asked == 2
    assert {**ids(reasons.of(changed)), ("enwiki", "A"): []} == {**first, ("enwiki", "A"): []}


def test_who_has_some_is_not_kept_waiting_for_newer_ones(
    committed: CommittedChanges, watched: WatchedStore
) -> None:
    reasons = FirstReasons(watched)
    first = ids(reasons.of(answer(watched)))
    watched.go.clear()
    changed = commit(committed, watched, "A")
    assert [ids(reasons.of(changed)) for _ in range(3)] == [first] * 3
    watched.go.set()
    wait_until(lambda: ids(reasons.of(changed)) != first, timeout=30, what="they follow")
    assert watched.asked == 2  # one at a time


def test_without_a_title_there_is_nothing_to_compute(watched: WatchedStore) -> None:
    reasons = FirstReasons(watched)
    assert reasons.of(answer(watched, replace(TOP, wikis=("frwiki",)))) == {}
    assert reasons.of(answer(watched, Query("editors", HOUR, 20))) == {}
    assert watched.asked == 0


def test_filters_that_many_ask_for_at_once_are_not_all_computed(watched: WatchedStore) -> None:
    """Crawlers follow each user's link: those of the default page would wait behind all of them."""
    reasons = FirstReasons(watched)
    found: list[Reasons] = []

    def ask(top: Answer) -> None:
        found.append(reasons.of(top))

    watched.go.clear()
    tops = [answer(watched, replace(TOP, window=TOP.window + n * SECOND)) for n in range(40)]
    asking = [threading.Thread(target=ask, args=(top,)) for top in tops]
    for each in asking:
        each.start()
    wait_until(lambda: len(found) == 32, timeout=60, what="they aren't kept waiting")
    watched.go.set()
    for each in asking:
        each.join()
    assert watched.asked == 8
    assert sorted(map(len, found)) == [0] * 32 + [3] * 8
