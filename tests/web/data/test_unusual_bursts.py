"""Bursts of the unusual: both engines against a plain count, what is told, and ids that no baseline moves."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from web.committed import NOON, Change, CommittedChanges
from web.data.plain_count import chosen
from web.data.test_answers import held_by
from web.data.test_bursts import Page, expected, found_by, in_order
from web.data.usual import A_WEEK, Counts, baseline_rows, compute_baseline, write_baseline
from wiki_common.coverage import Coverage
from wiki_web.data.baseline import Baseline
from wiki_web.data.bursts import MOST_BURSTS, Burst, BurstQuery
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.engines.engine import Engine
from wiki_web.data.queries import Query
from wiki_web.data.rows import microseconds
from wiki_web.data.unusual import surprise
from wiki_web.data.unusual_bursts import SURPRISING, fewest_changes, is_unusual

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
HALF = HOUR / 2
WEEK_AND_EIGHTH = timedelta(days=7) * 9 / 8
REACH = 2 * HOUR
TO = NOON + 200 * SECOND
"""So an hour of the clock begins within what is looked at."""


def asked(window: timedelta = HALF, at_least: int | None = None, **counted: Any) -> BurstQuery:
    query = Query("unusual", window, MOST_BURSTS, bots="exclude")
    return BurstQuery(replace(query, **counted), at_least or fewest_changes(window))


def damped(rows: Iterable[Change]) -> list[Change]:
    """Of each editor the first three changes of a title in an hour of the clock."""
    seen, kept = Counter[tuple[object, ...]](), []
    for row in in_order(rows):
        of_one = row.wiki, row.title, row.user, row.event_time.replace(minute=0, second=0)
        seen[of_one] += 1
        if seen[of_one] <= 3:
            kept.append(row)
    return kept


# Seconds before TO: the borders of windows, of the clock's hour and of what is known; many close together.
BACK = st.sampled_from([0, 59, 60, 61, 199, 200, 201, 3479, 3480, 3481, 7199, 7200]) | st.integers(0, 300)


def changes() -> st.SearchStrategy[list[Change]]:
    row = st.builds(
        Change,
        event_time=BACK.map(lambda seconds: TO - seconds * SECOND),
        title=st.sampled_from(["A", "A", "🦊 fox"]),
        user=st.sampled_from(["Ada", "Ada", "Bob", None]),
        type=st.sampled_from(["edit", "edit", "new", "log"]),
        bot=st.sampled_from([False, False, None, True]),
        wiki=st.sampled_from(["enwiki", "enwiki", "dewiki"]),
    )
    return st.lists(row, min_size=1, max_size=60)


def flood(*seconds: int) -> list[Change]:
    return [Change(TO - back * SECOND, "A", "Ada") for back in seconds]


def test_they_equal_a_plain_count(engine: Engine, tmp_path: Path) -> None:
    """Spark takes the same SQL, a second for each example: DuckDB tries many."""
    queries = st.builds(asked, st.sampled_from([MINUTE, 2 * MINUTE]), st.integers(2, 5))

    @settings(max_examples=150 if isinstance(engine, DuckDBEngine) else 8, deadline=None)
    @given(rows=changes(), query=queries)
    @example(rows=flood(*range(180, 220, 4)), query=asked(MINUTE, 4))
    @example(rows=flood(3480, 3481, 3482, 3483), query=asked(MINUTE, 3))
    def check(rows: list[Change], query: BurstQuery) -> None:
        rows = [replace(row, event_id=f"event-{number:03}") for number, row in enumerate(rows)]
        held_by(engine, rows, tmp_path)
        counted = damped(chosen(rows, query.counted, TO - REACH, TO))
        assert found_by(engine, query, TO, REACH) == expected(counted, query, TO, REACH)

    check()


@pytest.mark.parametrize("reach", [REACH, 2 * REACH])
def test_an_hour_of_the_clock_that_is_there_in_part_tells_no_beginning(
    duckdb_engine: DuckDBEngine, tmp_path: Path, reach: timedelta
) -> None:
    """What an editor changed first in it lies before what is looked at, so others would count instead."""
    start = NOON - 2 * HOUR
    first = [Change(start + minutes * MINUTE, "A", "Ada") for minutes in range(3)]
    held_by(duckdb_engine, [*first, *(Change(start + HALF, "A", "Ada") for _ in range(3))], tmp_path)
    assert found_by(duckdb_engine, asked(MINUTE, 3), TO, reach) == []


@pytest.mark.parametrize("window", [MINUTE, HALF, HOUR, 6 * HOUR, 42 * HOUR])
def test_fewer_changes_are_never_surprising_and_so_many_may_be(window: timedelta) -> None:
    fewest, part = fewest_changes(window), window / WEEK_AND_EIGHTH
    known = [0.000001, 0.125, 0.25, 3, 100, 10_000]
    highest = [surprise(fewest - 1, shape * part, shape) for shape in known]
    assert max(highest) == highest[0] < SURPRISING < surprise(fewest, known[0] * part, known[0])


@pytest.mark.parametrize(("before", "most"), [(0, 9), (10, 11), (100, 17), (840, 31), (3360, 53)])
def test_the_more_a_title_is_changed_the_more_is_unusual(before: int, most: int) -> None:
    """The table of docs/api.md. After the week, where nothing has to be taken out of it."""
    baseline = Baseline(A_WEEK, [baseline_rows({("enwiki", "A"): before} if before else {})])

    def told(changes: int, **more: Any) -> bool:
        row = {"wiki": "enwiki", "title": "A", "namespace": 0, "changes": changes, "most": changes}
        times = {"first_us": microseconds(NOON), "last_us": microseconds(NOON + HALF)}
        return is_unusual({**row, **times, "editors": 2, **more}, baseline, HALF // timedelta(microseconds=1))

    assert (told(most - 1), told(most)) == (False, True)
    assert not told(most, editors=1)


def edits(
    title: str, start: datetime, count: int, every: timedelta = MINUTE, editors: int = 5
) -> list[Change]:
    return [
        Change(start + number * every, title, f"{title} {number % editors}", event_id=f"{title} {number:03}")
        for number in range(count)
    ]


BEGIN = NOON + HOUR / 4
COUNTS: Counts = {("enwiki", "Busy"): 3360}


@pytest.fixture
def happened(committed: CommittedChanges) -> CommittedChanges:
    """A title begins to be changed by many, one by a single editor; one is as busy as ever."""
    committed.commit(
        *edits("Suddenly", BEGIN, 12),
        *edits("Flooded", BEGIN, 40, 10 * SECOND, editors=1),
        *edits("Busy", NOON, 15, editors=15),
        covered=Coverage(NOON + HOUR),
    )
    return committed


def told_by(committed: CommittedChanges, engine: Engine, query: BurstQuery) -> list[Burst]:
    """By a process that has just started."""
    return list(Page(committed, engine, 8 * HOUR).get(query).bursts)


def test_what_becomes_unusual_is_told_and_what_is_usual_is_not(
    happened: CommittedChanges, engine: Engine
) -> None:
    write_baseline(happened.data_dir, COUNTS)
    (found,) = told_by(happened, engine, asked())
    assert (found.title, found.changes, found.editors) == ("Suddenly", 12, 5)
    assert (found.start, found.first) == (BEGIN + 8 * MINUTE, BEGIN)


def test_without_a_baseline_nothing_is_told(happened: CommittedChanges, duckdb_engine: DuckDBEngine) -> None:
    assert told_by(happened, duckdb_engine, asked()) == []


@pytest.mark.parametrize("known", [1, 3, 9])
def test_another_baseline_may_tell_other_bursts_with_the_same_ids(
    happened: CommittedChanges, engine: Engine, known: int
) -> None:
    """Of a title of which it knows more, more changes are needed. Where it begins stays."""
    write_baseline(happened.data_dir, COUNTS)
    (before,) = told_by(happened, engine, asked())
    write_baseline(happened.data_dir, {("enwiki", "Suddenly"): known})
    suddenly = [burst for burst in told_by(happened, engine, asked()) if burst.title == "Suddenly"]
    assert suddenly == [before]
    write_baseline(happened.data_dir, {("enwiki", "Suddenly"): 100})
    assert "Suddenly" not in {burst.title for burst in told_by(happened, engine, asked())}


def test_a_burst_is_told_too_once_it_is_a_part_of_the_baseline(
    committed: CommittedChanges, duckdb_engine: DuckDBEngine
) -> None:
    """Though it went on for longer than its window: all of it is taken out of the week."""
    long = edits("Suddenly", NOON - 3 * HOUR, 86, 2 * MINUTE, editors=20)
    for back in range(12, 0, -1):
        start = NOON - back * HOUR
        rows = [row for row in long if start <= row.event_time < start + HOUR]
        committed.close_hour(start, [*rows, *edits(f"Title {back}", start, 2)])
    compute_baseline(committed.data_dir)
    committed.commit(Change(NOON + MINUTE), covered=Coverage(NOON + 2 * MINUTE))
    page = Page(committed, duckdb_engine, 12 * HOUR)
    (found,) = page.get(asked(HOUR)).bursts
    assert (found.title, found.changes) == ("Suddenly", 86)


def test_an_id_is_the_same_in_the_next_version() -> None:
    assert asked().id_of("enwiki", "A", 1) == "urn:uuid:b4e7926a-1766-5613-8d83-e1dd493fbce6"
    assert asked().id_of() != BurstQuery(replace(asked().counted, kind="changes"), asked().at_least).id_of()
