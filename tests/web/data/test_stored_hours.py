"""Hours for which there is no room stay in their files, and count exactly once all the same; both engines."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from web.committed import NOON, Change, CommittedChanges, changes_table
from web.data.held import ALL_DAY, HOUR, at, counted, document
from wiki_web.data.answers import answer_of
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.engines.engine import Engine, EngineError
from wiki_web.data.engines.stored import StoredHours, stored_hours
from wiki_web.data.queries import KINDS, Kind, Query
from wiki_web.data.rows import Hour, closed_hours, microseconds
from wiki_web.data.store import Store

DAY = 24 * HOUR


@pytest.fixture
def small(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """It holds 30 rows, and those of no closed hour."""
    monkeypatch.setattr(engine, "most_held", 30)
    return engine


@pytest.fixture
def store(committed: CommittedChanges, small: Engine) -> Store:
    return Store(committed.data_dir, small, DAY)


def an_hour_of(hour: int, title: str) -> list[Change]:
    """Ten changes."""
    return [at(hour, 5 * minute, title) for minute in range(10)]


def fill(committed: CommittedChanges, first: int = 2) -> None:
    """Closed hours until ten o'clock, ten changes each, and three changes since."""
    for hour in range(first, 10):
        committed.close_hour(NOON + (hour - 12) * HOUR, an_hour_of(hour, f"hour {hour}"))
    committed.commit(*(at(10, minute, "new") for minute in range(3)))


def every(first: int = 2) -> dict[str, int]:
    return {**{f"hour {hour}": 10 for hour in range(first, 10)}, "new": 3}


def top(store: Store, window: timedelta) -> dict[str, int]:
    query = Query("top", window, 500)
    _, as_of_us, run = store.prepare(query)
    return {row["title"]: row["changes"] for row in document(answer_of(query, as_of_us, run()))["titles"]}


def test_as_much_is_held_as_there_is_room_for_and_all_counts(
    store: Store, committed: CommittedChanges
) -> None:
    fill(committed)
    store.refresh()
    assert store.rows_held == 2 * 10 + 3
    assert counted(store) == every()
    assert top(store, timedelta(minutes=5)) == {"new": 3}
    assert top(store, 3 * HOUR) == {"hour 7": 9, "hour 8": 10, "hour 9": 10, "new": 3}


def test_without_a_closed_hour_all_is_held(store: Store, committed: CommittedChanges) -> None:
    committed.commit(*(at(10, minute, "new") for minute in range(50)))
    store.refresh()
    assert store.rows_held == 50
    assert not store.rebase_if_due()


def test_an_hour_that_was_held_goes_back_to_its_file_when_others_need_the_room(
    store: Store, committed: CommittedChanges
) -> None:
    fill(committed)
    store.refresh()
    for hour in (10, 11):
        rows = an_hour_of(hour, "new")
        committed.commit(*rows)
        committed.close_hour(
            NOON + (hour - 12) * HOUR,
            rows if hour > 10 else [*rows, *(at(10, minute, "new") for minute in range(3))],
        )
        store.refresh()
        expected = {**every(), "new": 3 + 10 * (hour - 9)}
        assert counted(store) == expected
        store.rebase_if_due()
        assert not store.rebase_if_due()
        assert store.rows_held <= 30
        assert counted(store) == expected
    committed.commit(at(12, 0, "newest"))
    store.refresh()
    assert counted(store) == {**every(), "new": 23, "newest": 1}


def test_a_prepared_query_sees_each_row_once_whatever_moves_meanwhile(
    store: Store, committed: CommittedChanges
) -> None:
    fill(committed)
    store.refresh()
    _, as_of_us, run = store.prepare(ALL_DAY)
    rows = [*(at(10, minute, "new") for minute in range(3)), *an_hour_of(10, "new")]
    committed.commit(*rows[3:])
    store.refresh()
    committed.close_hour(NOON - 2 * HOUR, rows)
    assert store.rebase_if_due()
    found = document(answer_of(ALL_DAY, as_of_us, run()))
    assert {row["title"]: row["changes"] for row in found["titles"]} == every()


def test_an_hour_that_is_deleted_as_too_old_counts_no_more(store: Store, committed: CommittedChanges) -> None:
    fill(committed)
    store.refresh()
    closed_hours(committed.data_dir)[0].path.unlink()
    assert counted(store) == every(first=3)


def test_an_hour_that_is_written_anew_counts_with_what_was_added(
    store: Store, committed: CommittedChanges
) -> None:
    fill(committed)
    store.refresh()
    assert counted(store) == every()
    committed.close_hour(NOON - 10 * HOUR, [*an_hour_of(2, "hour 2"), at(2, 59, "late")])
    assert counted(store) == {**every(), "late": 1}


@pytest.mark.parametrize("name", ["data [1]", "it's *?", "Ünïcode %20 #1"])
def test_files_in_a_folder_of_any_name_are_read(small: Engine, tmp_path: Path, name: str) -> None:
    committed = CommittedChanges(tmp_path / name)
    fill(committed)
    store = Store(committed.data_dir, small, DAY)
    store.refresh()
    assert counted(store) == every()


ODD = [
    Change(
        NOON - 1.5 * HOUR, title, user, type=kind, bot=bot, namespace=namespace, wiki=wiki, comment=comment
    )
    for title, user, kind, bot, namespace, wiki, comment in (
        ("Main_Page", "Ada", "edit", True, 0, "enwiki", "a"),
        (" Main Page_", "ada", "new", None, None, "dewiki", None),
        ("\u200eMain\x00 \x85Page\u2028", None, "edit", False, -1, "enwiki", '"it\'s"'),
        ("", "=x", "edit", False, 2**31 - 1, "", ""),
        ("e\u0301toile \U0001f98a", "\u202emoc", "log", False, 14, "zh_yuewiki", "\n"),
    )
]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_read_from_a_file_is_what_would_be_held(
    committed: CommittedChanges, small: Engine, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    rows = changes_table([*ODD, replace(ODD[0], length_old=-1), replace(ODD[0], length_new=None)] * 5)
    bare = rows.slice(0, 1)
    for place, field in enumerate(rows.schema):
        if field.name != "event_time":
            bare = bare.set_column(place, field, pa.nulls(1, field.type))
    committed.close_hour(NOON - 2 * HOUR, pa.concat_tables([rows, bare]))
    committed.commit(at(11, 0, "new"))
    answers = []
    for most in (30, 1000):
        monkeypatch.setattr(small, "most_held", most)
        store = Store(committed.data_dir, small, DAY)
        store.refresh()
        assert store.rows_held == (1 if most == 30 else 37)
        query = Query(kind, 2 * HOUR, 100, types=None)
        _, as_of_us, run = store.prepare(query)
        answers.append(document(answer_of(query, as_of_us, run())))
    assert answers[0] == answers[1]
    assert answers[0]["totals"]["changes"] == 37


@pytest.fixture
def damaged(committed: CommittedChanges) -> Iterator[DuckDBEngine]:
    """An engine that doesn't hold an hour, whose file is damaged after the load."""
    engine = DuckDBEngine(most_held=30)
    yield engine
    engine.close()


def test_a_damaged_file_fails_the_queries_that_reach_it_alone(
    committed: CommittedChanges, damaged: DuckDBEngine
) -> None:
    store = Store(committed.data_dir, damaged, DAY)
    fill(committed)
    store.refresh()
    closed_hours(committed.data_dir)[0].path.write_bytes(b"PAR1 no more PAR1")
    assert top(store, 2 * HOUR)["new"] == 3
    with pytest.raises(EngineError):
        counted(store)


def hours(folder: Path, *sizes: int) -> list[Hour]:
    """Closed hours with so many rows, the last of which ends at noon."""
    committed = CommittedChanges(folder)
    for place, size in enumerate(sizes):
        start = NOON - (len(sizes) - place) * HOUR
        committed.close_hour(start, [Change(start)] * size)
    return list(closed_hours(folder))


@pytest.mark.parametrize(
    ("tail_rows", "most", "stored"),
    [(0, 6, 0), (1, 6, 1), (2, 6, 2), (3, 6, 2), (4, 6, 3), (60, 6, 3), (0, 0, 3)],
)
def test_the_newest_hours_are_held(tmp_path: Path, tail_rows: int, most: int, stored: int) -> None:
    found = stored_hours(hours(tmp_path, 1, 2, 3), 0, tail_rows, most)
    assert len(found.hours) == stored
    assert found.rows == (1, 2, 3)[:stored]
    assert found.boundary_us == (microseconds(NOON - (3 - stored) * HOUR) if stored else 0)


def test_hours_out_of_the_window_are_none_and_those_not_held_stay_so(tmp_path: Path) -> None:
    three = hours(tmp_path, 1, 2, 3)
    assert stored_hours(three, microseconds(NOON - 2 * HOUR), 0, 0).rows == (2, 3)
    assert stored_hours(three, 0, 0, 100, microseconds(NOON - HOUR)).rows == (1, 2)
    assert stored_hours(three, microseconds(NOON), 0, 0) == StoredHours()


def test_a_window_reaches_the_hours_that_end_in_it(tmp_path: Path) -> None:
    found = stored_hours(hours(tmp_path, 1, 2, 3), 0, 0, 0)
    assert [found.rows_after(microseconds(NOON - back * HOUR)) for back in (3, 2, 1.5, 1, 0)] == [
        6,
        5,
        5,
        3,
        0,
    ]
    assert found.reached(microseconds(NOON - HOUR)) == [found.hours[2]]
