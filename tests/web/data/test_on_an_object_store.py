"""What is in an object store is followed, loaded, answered and looked back at as on a disk."""

import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from harness.object_store import ObjectStore, copy
from harness.store_proxy import CUT, LOST, REFUSED, StoreProxy, store_proxy
from web.committed import NOON, Change, CommittedChanges
from web.data.held import document
from web.data.usual import write_baseline
from wiki_common.store import place
from wiki_common.store.bucket import Bucket, Content, ObjectStat
from wiki_common.store.objects import ObjectPath
from wiki_common.store.reading import TAIL
from wiki_web.data.answer_cache import AnswerCache
from wiki_web.data.answers import answer_of
from wiki_web.data.baseline import Baselines
from wiki_web.data.engines import spark_engine as spark_engine_module
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.engines.engine import Engine, EngineError
from wiki_web.data.engines.spark_engine import SparkEngine
from wiki_web.data.follower import FolderMoved, Follower
from wiki_web.data.past.kept import KeptHours
from wiki_web.data.past.past_answers import PastAnswers
from wiki_web.data.queries import Query
from wiki_web.data.rows import microseconds
from wiki_web.data.store import Store

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
DAY = timedelta(hours=24)
LATE = NOON.replace(hour=23, minute=59, second=50)


class Mirrored:
    """What `committed` has is in the store too, after each `copy`."""

    def __init__(self, committed: CommittedChanges, folder: ObjectPath) -> None:
        self.committed = committed
        self.folder = folder

    def commit(self, *changes: Change) -> None:
        self.committed.commit(*changes)
        self.copy()

    def copy(self) -> None:
        copy(self.committed.data_dir, self.folder)


@pytest.fixture
def mirrored(committed: CommittedChanges, s3_folder: ObjectPath) -> Mirrored:
    return Mirrored(committed, s3_folder)


def changes(number: int, start: timedelta = timedelta()) -> list[Change]:
    return [Change(NOON + start + each * SECOND, title=f"Page {each % 3}") for each in range(number)]


def list_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks the store for a list from now on fails."""
    for lists in ("keys", "folders"):
        monkeypatch.setattr(Bucket, lists, None)


def test_the_next_batch_is_asked_for_by_its_name_and_nothing_is_listed(
    mirrored: Mirrored, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_us = int((LATE - HOUR).timestamp() * 1_000_000)
    follower = Follower(mirrored.folder / "changes", 3600.0, lambda: end_us)
    mirrored.commit(Change(LATE))
    first = follower.poll()
    assert first is not None
    follower.accept(first)

    list_nothing(monkeypatch)
    assert follower.poll() is None
    assert follower.commits_after(first.batch) == 0
    mirrored.commit(Change(LATE + SECOND))
    commit = follower.poll()
    assert commit is not None
    assert len(commit.files) == 1
    assert follower.commits_after(first.batch) == 1
    follower.accept(commit)
    assert follower.poll() is None


def test_a_batch_of_two_dates_is_seen_with_its_part(
    mirrored: Mirrored, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_us = int((LATE - HOUR).timestamp() * 1_000_000)
    follower = Follower(mirrored.folder / "changes", 3600.0, lambda: end_us)
    mirrored.commit(Change(LATE + 20 * SECOND))
    first = follower.poll()
    assert first is not None
    follower.accept(first)
    list_nothing(monkeypatch)
    mirrored.commit(Change(LATE), Change(LATE + 21 * SECOND))
    commit = follower.poll()
    assert commit is not None
    assert [file.partition("/")[0] for file in commit.files] == ["date=2026-03-01", "date=2026-03-02"]


def test_a_list_finds_what_no_name_tells(mirrored: Mirrored) -> None:
    """A new checkpoint, and that files are gone."""
    follower = Follower(mirrored.folder / "changes")
    mirrored.commit(Change(NOON))
    first = follower.poll()
    assert first is not None
    follower.accept(first)
    mirrored.committed.begin_anew()
    mirrored.commit(Change(NOON + SECOND))
    second = follower.poll()
    assert second is not None
    assert second.batch.epoch > first.batch.epoch
    follower.accept(second)
    for file in (mirrored.folder / "changes").all_below():
        file.unlink()
    with pytest.raises(FolderMoved, match="empty"):
        follower.poll()


def closed(mirrored: Mirrored) -> None:
    """An hour of history, and batches after it."""
    mirrored.committed.close_hour(NOON - HOUR, changes(5, -HOUR))
    for number in range(3):
        mirrored.committed.commit(*changes(4, number * timedelta(minutes=1)))
    mirrored.copy()


def test_rows_are_loaded_and_followed(mirrored: Mirrored, engine: Engine) -> None:
    closed(mirrored)
    store = Store(mirrored.folder, engine, DAY)
    assert store.refresh()
    assert store.rows_held == 17
    assert not store.refresh()
    mirrored.commit(*changes(2, timedelta(minutes=5)))
    assert store.refresh()
    assert store.rows_held == 19
    assert not store.rebase_if_due()


@pytest.fixture
def small(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """It holds twelve rows, those of no closed hour."""
    monkeypatch.setattr(engine, "most_held", 12)
    return engine


@pytest.fixture
def small_spark(spark_engine: SparkEngine, monkeypatch: pytest.MonkeyPatch) -> SparkEngine:
    """As `small`."""
    monkeypatch.setattr(spark_engine, "most_held", 12)
    return spark_engine


def top(store: Store) -> dict[str, int]:
    query = Query("top", DAY, 500)
    _, as_of_us, run = store.prepare(query)
    return {row["title"]: row["changes"] for row in document(answer_of(query, as_of_us, run()))["titles"]}


def past_answers(store: Store, engine: Engine, folder: ObjectPath) -> PastAnswers:
    return PastAnswers(store, engine, folder, AnswerCache(store, Query("top", HOUR, 20)))


def test_hours_that_are_not_held_are_read_by_the_query_that_reaches_them(
    mirrored: Mirrored, small: Engine
) -> None:
    closed(mirrored)
    store = Store(mirrored.folder, small, DAY)
    assert store.refresh()
    assert store.rows_held == 12
    assert top(store) == {"Page 0": 8, "Page 1": 5, "Page 2": 4}


def test_stored_hours_are_looked_for_side_by_side(
    mirrored: Mirrored, small: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after another, a day of them is 24 ways to the store and back for each question."""
    for hour in range(1, 9):
        mirrored.committed.close_hour(NOON - hour * HOUR, changes(3, -hour * HOUR))
    mirrored.commit(*changes(12))
    store = Store(mirrored.folder, small, DAY)
    assert store.refresh()
    head, both = Bucket.head, threading.Barrier(2)

    def head_with_another(bucket: Bucket, key: str) -> ObjectStat:
        both.wait(30)
        return head(bucket, key)

    monkeypatch.setattr(Bucket, "head", head_with_another)
    assert sum(top(store).values()) == 8 * 3 + 12


class Got:
    """Counts the bytes that this process gets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bytes = 0
        get = Bucket.get

        def get_and_count(bucket: Bucket, key: str, **asked: Any) -> Content:
            content = get(bucket, key, **asked)
            self.bytes += len(content.data)
            return content

        monkeypatch.setattr(Bucket, "get", get_and_count)


@pytest.fixture
def talkative(mirrored: Mirrored) -> Mirrored:
    """An hour of whose bytes the comments are nearly all, too many for what is read with the footer."""
    wikis = ["dewiki", *["enwiki"] * 19]
    rows = [Change(NOON - HOUR, wiki, wiki=wiki, comment=random.randbytes(40_000).hex()) for wiki in wikis]
    mirrored.committed.close_hour(NOON - HOUR, rows)
    mirrored.commit(*changes(12))
    return mirrored


def test_a_question_gets_the_columns_that_it_is_about(
    talkative: Mirrored, small: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(talkative.folder, small, DAY)
    assert store.refresh()
    got = Got(monkeypatch)
    assert sum(top(store).values()) == 32
    past = past_answers(store, small, talkative.folder)
    answer, _ = past.get(Query("top", HOUR, 20, to_us=microseconds(NOON - timedelta(minutes=30))))
    assert document(answer.answer)["totals"]["changes"] == 20
    assert got.bytes < 6 * TAIL


def test_spark_reads_objects_once_the_question_is_computed(
    talkative: Mirrored, small_spark: SparkEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who prepares it holds up the next commit."""
    store = Store(talkative.folder, small_spark, DAY)
    assert store.refresh()
    got = Got(monkeypatch)
    _, _, run = store.prepare(Query("top", DAY, 500))
    assert got.bytes == 0
    talkative.commit(Change(NOON + HOUR, title="since"))
    assert store.refresh()
    assert run()["all_changes"].to_pylist().count(32) == 1


def test_spark_is_handed_over_no_more_rows_than_its_heap_has_room_for(
    talkative: Mirrored, small_spark: SparkEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark_engine_module, "MOST_HANDED_OVER", 100_000)
    store = Store(talkative.folder, small_spark, DAY)
    assert store.refresh()
    past = past_answers(store, small_spark, talkative.folder)
    listed, moment = Query("changes", DAY, 20), microseconds(NOON - timedelta(minutes=30))
    with pytest.raises(EngineError, match="more than 100000 bytes"):
        store.prepare(listed)[2]()
    with pytest.raises(EngineError, match="more than 100000 bytes"):
        past.get(replace(listed, to_us=moment))
    german = replace(listed, wikis=("dewiki",))
    assert store.prepare(german)[2]()["all_changes"].to_pylist().count(1) == 1
    assert document(past.get(replace(german, to_us=moment))[0].answer)["totals"]["changes"] == 1


def test_a_past_moment_is_read_from_its_hours(mirrored: Mirrored, engine: Engine) -> None:
    closed(mirrored)
    store = Store(mirrored.folder, engine, DAY)
    assert store.refresh()
    past = past_answers(store, engine, mirrored.folder)
    answer, state = past.get(Query("top", HOUR, 20, to_us=microseconds(NOON - timedelta(minutes=30))))
    assert state == "past"
    assert document(answer.answer)["totals"]["changes"] == 5
    assert [kept.changes for kept in past.kept().hours] == [5]


@pytest.fixture
def proxy(s3: ObjectStore, seed: int) -> Iterator[StoreProxy]:
    with store_proxy(s3.endpoint, seed) as proxy:
        yield proxy


@pytest.fixture
def behind(mirrored: Mirrored, proxy: StoreProxy, monkeypatch: pytest.MonkeyPatch) -> ObjectPath:
    """The folder, through the proxy."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
    place.object_path.cache_clear()
    return place.object_path(str(mirrored.folder))


def test_a_store_that_fails_now_and_then_loses_no_row(
    mirrored: Mirrored, proxy: StoreProxy, behind: ObjectPath, duckdb_engine: DuckDBEngine
) -> None:
    closed(mirrored)
    proxy.faults = {REFUSED: 0.1, CUT: 0.1, LOST: 0.1}
    store = Store(behind, duckdb_engine, DAY)
    assert store.refresh()
    assert store.rows_held == 17
    for number in range(3):
        mirrored.commit(*changes(1, timedelta(minutes=10 + number)))
        assert store.refresh()
    assert store.rows_held == 20
    assert sum(proxy.befell.values()) > 0


class Looking:
    """A store of changes whose clock goes on by a quarter of a second with each look."""

    def __init__(self, folder: ObjectPath, engine: Engine) -> None:
        self.now = 0.0
        self.store = Store(folder, engine, DAY, clock=lambda: self.now)

    def look(self) -> bool:
        self.now += 0.25
        return self.store.refresh()


def test_an_empty_store_is_listed_seldom_until_there_is_a_batch(
    mirrored: Mirrored, proxy: StoreProxy, behind: ObjectPath, duckdb_engine: DuckDBEngine
) -> None:
    looking = Looking(behind, duckdb_engine)
    assert not any(looking.look() for _ in range(40))  # ten seconds
    assert proxy.asked.total() == proxy.asked["LIST"] <= 4
    mirrored.commit(Change(NOON))
    assert [looking.look() for _ in range(20)].count(True) == 1
    mirrored.commit(Change(NOON + SECOND))
    assert looking.look()


def test_a_store_with_closed_hours_alone_is_listed_seldom(
    mirrored: Mirrored, proxy: StoreProxy, behind: ObjectPath, duckdb_engine: DuckDBEngine
) -> None:
    mirrored.committed.close_hour(NOON - HOUR, changes(5, -HOUR))
    mirrored.copy()
    looking = Looking(behind, duckdb_engine)
    assert looking.look()
    proxy.asked.clear()
    assert not any(looking.look() for _ in range(40))
    assert proxy.asked["LIST"] <= 4
    mirrored.commit(*changes(1))
    assert [looking.look() for _ in range(20)].count(True) == 1
    assert looking.store.rows_held == 6


def test_hours_that_cannot_be_read_are_the_engines_failure(
    mirrored: Mirrored, proxy: StoreProxy, behind: ObjectPath, small: Engine
) -> None:
    """Which is told to who asks, and doesn't hold up the answers to others."""
    closed(mirrored)
    store = Store(behind, small, DAY)
    assert store.refresh()
    past = past_answers(store, small, behind)
    moment = Query("top", HOUR, 20, to_us=microseconds(NOON - timedelta(minutes=30)))
    past.kept()
    with proxy.outage(), pytest.raises(EngineError):
        top(store)
    with proxy.outage(), pytest.raises(EngineError):
        past.get(moment)
    assert top(store) == {"Page 0": 8, "Page 1": 5, "Page 2": 4}
    (mirrored.folder / "history/date=2026-03-01/hour=11/part-0.parquet").write_bytes(b"torn")
    with pytest.raises(EngineError):
        top(store)
    with pytest.raises(EngineError):
        past.get(moment)


def test_what_is_usual_stays_known_while_the_store_is_away(
    mirrored: Mirrored, proxy: StoreProxy, behind: ObjectPath
) -> None:
    write_baseline(mirrored.committed.data_dir, {("enwiki", "A"): 2})
    mirrored.copy()
    baselines = Baselines(behind)
    held = baselines.newest()
    assert held is not None
    with proxy.outage():
        assert baselines.newest() is held
    assert baselines.newest() is held


def test_the_footers_of_all_hours_are_asked_for_side_by_side(
    mirrored: Mirrored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after another, those of a month keep the first viewer waiting for half a minute."""
    for hour in range(8):
        mirrored.committed.close_hour(NOON - hour * HOUR, changes(3, -hour * HOUR))
    mirrored.copy()
    get, both = Bucket.get, threading.Barrier(2)

    def get_with_another(bucket: Bucket, key: str, **asked: Any) -> Content:
        both.wait(30)
        return get(bucket, key, **asked)

    monkeypatch.setattr(Bucket, "get", get_with_another)
    hours = KeptHours(mirrored.folder)
    assert hours.look().per_hour() == [3] * 8
    monkeypatch.setattr(Bucket, "get", None)
    assert hours.look().per_hour() == [3] * 8
