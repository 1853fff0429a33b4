"""Bursts: both engines against a plain count, and that each has one id, whoever asks and whenever."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from web.committed import NOON, Change, CommittedChanges
from web.data.plain_count import chosen
from web.data.test_answers import held_by
from wiki_common.coverage import Coverage
from wiki_web.data.answer_cache import Busy
from wiki_web.data.baseline import Baselines
from wiki_web.data.bursts import MOST_BURSTS, BurstAnswer, BurstQuery, Bursts, burst_statement, longest_window
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.engines.engine import Engine
from wiki_web.data.long_queries import TooManyChanges
from wiki_web.data.past.turns import Turns
from wiki_web.data.queries import MAX_SIZE, Query, Statement
from wiki_web.data.rows import microseconds, moment_of
from wiki_web.data.store import Store

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
REACH = HOUR
Found = tuple[str, str, datetime, datetime, datetime, int, int, int, int, str | None]


def asked(at_least: int = 3, window: timedelta = MINUTE, **counted: Any) -> BurstQuery:
    return BurstQuery(replace(Query("changes", window, MOST_BURSTS), **counted), at_least)


@dataclass
class Counted:
    """A burst as it grows, change by change."""

    start: datetime
    peak: datetime
    changes: list[Change]


def counted(rows: Sequence[Change], query: BurstQuery) -> list[Counted]:
    """The bursts of one title's rows in their order, each change looked at with all others."""
    window, found = query.counted.window, list[Counted]()
    for place, row in enumerate(rows):
        inside = [each for each in rows[: place + 1] if each.event_time > row.event_time - window]
        if len(inside) < query.at_least:
            continue
        if not found or row.event_time - found[-1].peak >= window:
            found.append(Counted(row.event_time, row.event_time, []))
        burst = found[-1]
        burst.peak = row.event_time
        burst.changes += [each for each in inside if each not in burst.changes]
    return found


def in_order(rows: Iterable[Change]) -> list[Change]:
    return sorted(rows, key=lambda row: (row.event_time, row.event_id))


def expected(
    rows: Iterable[Change], query: BurstQuery, to: datetime, reach: timedelta = REACH
) -> list[Found]:
    titles: dict[tuple[str, str], list[Change]] = defaultdict(list)
    for row in in_order(chosen(rows, query.counted, to - reach, to)):
        titles[row.wiki, row.title].append(row)
    found = [
        (
            wiki,
            title,
            burst.start,
            burst.changes[0].event_time,
            burst.changes[-1].event_time,
            len(burst.changes),
            max(within(burst.changes, row.event_time, query.counted.window) for row in burst.changes),
            len({row.user for row in burst.changes if row.user is not None}),
            sum(size_of(row) for row in burst.changes),
            next((row.comment for row in reversed(burst.changes) if row.comment), None),
        )
        for (wiki, title), rows in titles.items()
        for burst in counted(rows, query)
        if burst.start > to - reach + query.lead
    ]
    return sorted(found, key=lambda burst: (-burst[2].timestamp(), burst[1].encode(), burst[0]))


def within(rows: Sequence[Change], end: datetime, window: timedelta) -> int:
    """How many of them lie in the window that ends then."""
    return sum(end - window < row.event_time <= end for row in rows)


def size_of(row: Change) -> int:
    sizes = row.length_new, row.length_old or 0
    possible = sizes[0] is not None and all(0 <= size <= MAX_SIZE for size in sizes if size is not None)
    return sizes[0] - sizes[1] if possible and sizes[0] is not None else 0


def found_by(engine: Engine, query: BurstQuery, to: datetime, reach: timedelta = REACH) -> list[Found]:
    rows = engine.prepare(burst_statement(query, microseconds(to), reach))().to_pylist()
    return [
        (
            row["wiki"],
            row["title"],
            moment_of(row["start_us"]),
            moment_of(row["first_us"]),
            moment_of(row["last_us"]),
            row["changes"],
            row["most"],
            row["editors"],
            row["bytes"],
            row["comment"],
        )
        for row in rows
    ]


# Seconds before NOON: the borders of windows and of what is known, and enough of them close together.
BACK = st.sampled_from([0, 1, 59, 60, 61, 119, 120, 121, 3479, 3480, 3481, 3599, 3600]) | st.integers(0, 400)


def changes() -> st.SearchStrategy[list[Change]]:
    row = st.builds(
        Change,
        event_time=BACK.map(lambda seconds: NOON - seconds * SECOND),
        title=st.sampled_from(["A", "B", "🦊 fox"]),
        user=st.sampled_from(["Ada", "Bob", None]),
        type=st.sampled_from(["edit", "edit", "new", "log"]),
        bot=st.sampled_from([True, False, None]),
        wiki=st.sampled_from(["enwiki", "enwiki", "dewiki"]),
        length_new=st.sampled_from([None, 90, 110, MAX_SIZE + 1]),
        comment=st.sampled_from(["first", "second", "", None]),
    )
    return st.lists(row, min_size=1, max_size=40)


def burst_queries() -> st.SearchStrategy[BurstQuery]:
    counted = st.builds(
        Query,
        kind=st.just("changes"),
        window=st.sampled_from([MINUTE, 2 * MINUTE]),
        limit=st.just(MOST_BURSTS),
        types=st.sampled_from([None, ("edit", "new")]),
        bots=st.sampled_from(["include", "exclude"]),
        wikis=st.sampled_from([None, ("dewiki",)]),
    )
    return st.builds(BurstQuery, counted, st.integers(2, 4))


def at(*seconds: int, title: str = "A") -> list[Change]:
    """A change of `title` so many seconds before NOON, each."""
    return [
        Change(NOON - back * SECOND, title, event_id=f"{title}-{back}-{n}") for n, back in enumerate(seconds)
    ]


def test_bursts_equal_a_plain_count(engine: Engine, tmp_path: Path) -> None:
    """Spark takes the same SQL, a second for each example: DuckDB tries many."""

    @settings(max_examples=150 if isinstance(engine, DuckDBEngine) else 8, deadline=None)
    @given(rows=changes(), query=burst_queries())
    @example(rows=at(60, 59, 1, 0), query=asked())
    @example(rows=at(200, 190, 180, 130, 121, 120, 119, 118), query=asked())
    @example(rows=at(*range(0, 3600, 25)), query=asked())
    def check(rows: list[Change], query: BurstQuery) -> None:
        rows = [replace(row, event_id=f"event-{number:03}") for number, row in enumerate(rows)]
        held_by(engine, rows, tmp_path)
        assert found_by(engine, query, NOON) == expected(rows, query, NOON)

    check()


LATEST = 20 * SECOND
"""So late a change is told at most, after it was made."""
GROWN = 2 * HOUR
HELD = 40 * MINUTE
Grown = tuple[list[Change], BurstQuery, list[BurstAnswer], CommittedChanges]


def told(choices: random.Random) -> list[tuple[datetime, Change]]:
    """Changes until NOON, each with when it is told: one title without a pause, others at times."""
    start = NOON - GROWN
    times = [("Always", start + number * 20 * SECOND) for number in range(GROWN // (20 * SECOND))]
    for wave in range(120):
        begin = start + choices.randrange(GROWN // SECOND) * SECOND
        count = choices.randrange(2, 12)
        times += [(f"Waves {wave % 30}", begin + choices.randrange(60) * SECOND) for _ in range(count)]
    rows = [Change(time, title, event_id=f"event-{number:04}") for number, (title, time) in enumerate(times)]
    late = [(row.event_time + choices.random() * LATEST, row) for row in rows if row.event_time <= NOON]
    return sorted(late, key=lambda each: each[0])


class Page:
    """One process's store and its bursts."""

    def __init__(self, committed: CommittedChanges, engine: Engine, held: timedelta = HELD) -> None:
        self.store = Store(committed.data_dir, engine, held)
        baselines = Baselines(committed.data_dir)
        self.bursts = Bursts(self.store, engine, held, Turns[pa.Table](), baselines=baselines)

    def get(self, query: BurstQuery) -> BurstAnswer:
        self.store.refresh()
        self.store.rebase_if_due()
        return self.bursts.get(query)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """What was committed minute by minute, and the answers meanwhile."""
    committed, engine = CommittedChanges(tmp_path_factory.mktemp("grown") / "data"), DuckDBEngine()
    page = Page(committed, engine)
    query = asked(4, 3 * MINUTE)
    waiting, answers = told(random.Random(22)), list[BurstAnswer]()
    rows = [row for _, row in waiting]
    for minute in range(GROWN // MINUTE + 1):
        as_of = NOON - GROWN + minute * MINUTE
        batch = [row for time, row in waiting if time <= as_of]
        waiting = waiting[len(batch) :]
        committed.commit(*batch, covered=Coverage(as_of))
        answers.append(page.get(query))
    engine.close()
    return rows, query, answers, committed


def test_each_burst_has_one_id_whenever_it_is_looked_at(grown: Grown) -> None:
    """Also one that began before the oldest change that is held, and goes on."""
    rows, query, answers, _ = grown
    starts = defaultdict(set)
    for answer in answers:
        assert len({burst.id for burst in answer.bursts}) == len(answer.bursts)
        for burst in answer.bursts:
            starts[burst.id].add((burst.title, burst.start))
    titles: dict[str, list[Change]] = defaultdict(list)
    for row in in_order(rows):
        titles[row.title].append(row)
    happened = {
        (title, burst.start)
        for title, rows in titles.items()
        for burst in counted(rows, query)
        if burst.start <= answers[-1].moment
    }
    assert all(len(each) == 1 for each in starts.values())
    assert sorted(start for each in starts.values() for start in each) == sorted(happened)
    assert [title for title, _ in happened].count("Always") == 1
    assert "Always" not in {burst.title for burst in answers[-1].bursts}


def test_after_a_restart_and_on_either_engine_the_answer_is_the_same(grown: Grown, engine: Engine) -> None:
    _, query, answers, committed = grown
    again = Page(committed, engine).get(query)
    assert again == answers[-1]
    assert len(again.bursts) > 3


def test_a_change_that_is_told_late_moves_the_start_and_not_the_id(
    committed: CommittedChanges, duckdb_engine: DuckDBEngine
) -> None:
    page = Page(committed, duckdb_engine)
    committed.commit(*at(200, 190, 171), covered=Coverage(NOON))
    (before,) = page.get(asked()).bursts
    late = Page(committed, duckdb_engine)
    committed.commit(*at(180), covered=Coverage(NOON))
    (after,) = late.get(asked()).bursts
    assert before.start - after.start == 9 * SECOND
    assert before.id == after.id


@pytest.mark.parametrize(
    "other",
    [
        asked(4),
        asked(3, 2 * MINUTE),
        asked(types=None),
        asked(bots="exclude"),
        asked(namespaces=(0,)),
        asked(wikis=("enwiki",)),
    ],
)
def test_other_questions_have_other_ids(other: BurstQuery) -> None:
    assert other.id_of() != asked().id_of()
    assert other.id_of("enwiki", "A", 1) != asked().id_of("enwiki", "A", 1)
    assert asked().id_of("enwiki", "A", 1) not in {
        asked().id_of(),
        asked().id_of("dewiki", "A", 1),
        asked().id_of("enwiki", "B", 1),
        asked().id_of("enwiki", "A", 2),
    }


def test_an_id_is_the_same_in_the_next_version() -> None:
    assert asked().id_of("enwiki", "A", 1) == "urn:uuid:b12c9e25-be9c-5e02-aa62-34d5fc63309c"


def test_what_isnt_settled_does_not_count_and_a_minute_is_computed_once(
    committed: CommittedChanges, duckdb_engine: DuckDBEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = list[Statement]()
    prepare = duckdb_engine.prepare

    def counted_prepare(statement: Statement) -> Callable[[], pa.Table]:
        statements.append(statement)
        return prepare(statement)

    monkeypatch.setattr(duckdb_engine, "prepare", counted_prepare)
    page = Page(committed, duckdb_engine)
    committed.commit(*at(0, 1, 2), covered=Coverage(NOON + 29 * SECOND))
    assert page.get(asked()) == BurstAnswer(NOON - MINUTE, ())
    committed.commit(covered=Coverage(NOON + 30 * SECOND))
    (burst,) = page.get(asked()).bursts
    assert (burst.start, burst.changes) == (NOON, 3)
    asked_for = len(statements)
    committed.commit(covered=Coverage(NOON + 89 * SECOND))
    assert page.get(asked()).bursts == (burst,)
    assert len(statements) == asked_for
    committed.commit(covered=Coverage(NOON + 90 * SECOND))
    assert page.get(asked()).moment == NOON + MINUTE
    assert len(statements) == asked_for + 1


def test_before_anything_is_counted_who_asks_is_told_to_ask_again(
    committed: CommittedChanges, duckdb_engine: DuckDBEngine
) -> None:
    page = Page(committed, duckdb_engine)
    with pytest.raises(Busy):
        page.get(asked())
    committed.commit()
    with pytest.raises(Busy):
        page.get(asked())


@pytest.mark.parametrize(("most_held", "titles"), [(500_000, "543210"), (30, "5")])
def test_where_not_all_is_held_in_memory_the_newest_bursts_are_told(
    committed: CommittedChanges, engine: Engine, monkeypatch: pytest.MonkeyPatch, most_held: int, titles: str
) -> None:
    """Of half of the time, or a quarter: two of the six hours fit."""
    monkeypatch.setattr(engine, "most_held", most_held)
    for hour in range(6):
        start = NOON - (9 - hour) * HOUR
        committed.close_hour(start, [Change(start + n * MINUTE, f"{hour}") for n in range(30, 40)])
    committed.commit(Change(NOON), covered=Coverage(NOON + MINUTE))
    page = Page(committed, engine, 16 * HOUR)
    assert [burst.title for burst in page.get(asked(10, 10 * MINUTE)).bursts] == list(titles)


def test_too_many_changes_are_refused_with_their_number(
    committed: CommittedChanges, duckdb_engine: DuckDBEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duckdb_engine, "most_held", 5)
    committed.close_hour(NOON - HOUR, [Change(NOON - n * MINUTE, "A") for n in range(10, 20)])
    committed.commit(Change(NOON), covered=Coverage(NOON + MINUTE))
    store = Store(committed.data_dir, duckdb_engine, 4 * HOUR)
    store.refresh()
    query = asked(10, HOUR)
    few = Bursts(store, duckdb_engine, 4 * HOUR, Turns[pa.Table](), most_counted=10)
    with pytest.raises(TooManyChanges, match="11 such changes"):
        few.get(query)
    assert (
        len(Bursts(store, duckdb_engine, 4 * HOUR, Turns[pa.Table](), most_counted=11).get(query).bursts) == 1
    )


@pytest.mark.parametrize(("held", "longest"), [(24 * HOUR, 6 * HOUR), (HOUR, 15 * MINUTE), (MINUTE, MINUTE)])
def test_a_quarter_of_what_is_held_can_be_asked_for(held: timedelta, longest: timedelta) -> None:
    assert longest_window(held) == longest
