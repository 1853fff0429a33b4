"""What both engines promise beyond their answers: what a prepared query sees, and many rows at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from harness.processes import wait_until
from web.committed import NOON, Change, CommittedChanges, changes_table
from web.engines import on_both_engines
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.engines.engine import Engine
from wiki_web.data.queries import HELD, Query, Statement, statement_of
from wiki_web.data.rows import EVENT_US, SCHEMA, boundary_of, closed_hours, concat, microseconds, read_rows

HOUR = timedelta(hours=1)
# More than a row group of DuckDB's, 122,880 rows, and more than Spark is handed at once.
MANY = 130_000
EVEN_PAIRS = """
SELECT COUNT(*) AS held FROM changes AS a CROSS JOIN changes AS b WHERE (a.event_us + b.event_us) % 2 = 0"""


def no_progress(done: int) -> None:
    pass


def rows_of(folder: Path, *changes: Change) -> pa.Table:
    committed = CommittedChanges(folder)
    committed.commit(*changes)
    return read_rows(committed.files(), from_us=0)


def held(run: Callable[[], pa.Table]) -> int:
    count: int = run()["held"][0].as_py()
    return count


@pytest.fixture
def many(tmp_path: Path) -> pa.Table:
    """Rows within a minute of NOON."""
    row = rows_of(tmp_path / "row", Change(NOON))
    rows = row.take(pa.array([0] * MANY))
    times = pa.array(microseconds(NOON) - number % 60_000_000 for number in range(MANY))
    return rows.set_column(SCHEMA.get_field_index(EVENT_US), EVENT_US, times)


def counted(engine: Engine, window: timedelta) -> int:
    as_of_us = microseconds(NOON)
    statement = statement_of(Query("timeline", window, 20), as_of_us)
    count: int = engine.prepare(statement)()["all_changes"][0].as_py()
    return count


@on_both_engines
def test_many_rows_loaded_at_once_all_count(engine: Engine, many: pa.Table) -> None:
    engine.load((), many, 0, no_progress)
    assert engine.rows_held == held(engine.prepare(HELD)) == counted(engine, HOUR) == MANY


@on_both_engines
def test_an_hour_of_many_rows_counts(engine: Engine, many: pa.Table, tmp_path: Path) -> None:
    committed = CommittedChanges(tmp_path / "data")
    start = NOON - HOUR
    stored = changes_table([Change(NOON - HOUR / 2)]).take(pa.array([0] * MANY))
    committed.close_hour(start, stored)
    engine.load(closed_hours(committed.data_dir), many, 0, no_progress)
    assert engine.rows_held == counted(engine, HOUR) == 2 * MANY
    assert counted(engine, HOUR / 6) == MANY


@on_both_engines
def test_a_prepared_query_sees_what_was_held_then(engine: Engine, tmp_path: Path) -> None:
    rows = rows_of(tmp_path, Change(NOON), Change(NOON - HOUR))
    engine.load((), rows, 0, no_progress)
    prepared = [engine.prepare(HELD) for _ in range(4)]
    engine.append(rows)
    assert held(prepared[0]) == 2
    engine.rebase((), microseconds(NOON) - 1)
    assert held(prepared[1]) == 2
    engine.load((), rows.slice(0, 0), 0, no_progress)
    assert held(prepared[2]) == 2
    assert held(engine.prepare(HELD)) == 0


@on_both_engines
def test_a_rebase_forgets_hours_before_the_horizon_and_takes_in_new_ones(
    engine: Engine, tmp_path: Path
) -> None:
    committed = CommittedChanges(tmp_path / "data")
    times = [NOON - back * HOUR / 2 for back in (7, 5, 3, 1)]
    for time in times[:2]:
        committed.close_hour(time.replace(minute=0), [Change(time)])
    tail = rows_of(tmp_path / "tail", *(Change(time) for time in times[2:]))
    engine.load(closed_hours(committed.data_dir), tail, 0, no_progress)
    assert engine.rows_held == held(engine.prepare(HELD)) == 4
    committed.close_hour(times[2].replace(minute=0), [Change(times[2])])
    hours = closed_hours(committed.data_dir)
    engine.rebase(hours, microseconds(NOON - 3 * HOUR))
    assert engine.rows_held == held(engine.prepare(HELD)) == 3
    engine.append(rows_of(tmp_path / "more", Change(NOON)))
    assert [counted(engine, back * HOUR) for back in (0.25, 1, 2, 4)] == [1, 2, 3, 4]


def test_a_query_in_progress_holds_up_no_append_on_duckdb(
    duckdb_engine: DuckDBEngine, many: pa.Table
) -> None:
    """Seconds of work, compared with an append and a rebase, which take hundredths."""
    rows = many.slice(0, 20_000)
    duckdb_engine.load((), rows, 0, no_progress)
    run = duckdb_engine.prepare(Statement(EVEN_PAIRS, {}))
    with ThreadPoolExecutor(1) as pool:
        counting = pool.submit(held, run)
        wait_until(counting.running, timeout=30, what="the query runs", every=0.01)
        duckdb_engine.append(rows)
        duckdb_engine.rebase((), 0)
        assert duckdb_engine.rows_held == 40_000
        assert held(duckdb_engine.prepare(HELD)) == 40_000
        assert counting.running()
        assert counting.result(120) == 2 * 10_000**2


def test_folders_that_are_no_hours_are_passed_over(tmp_path: Path) -> None:
    committed = CommittedChanges(tmp_path)
    committed.close_hour(NOON, [Change(NOON)])
    for name in ("date=2026-03-01.bak/hour=13", "date=2026-03-01/hour=1", "date=now/hour=13"):
        folder = tmp_path / "history" / name
        folder.mkdir(parents=True)
        (folder / "part-0.parquet").touch()
    hours = closed_hours(tmp_path)
    assert boundary_of(hours) == microseconds(NOON + HOUR)
    assert len(hours) == 1
    assert pc.sum(concat([read_rows([hours[0].path], from_us=0)])[EVENT_US]).as_py() == microseconds(NOON)
