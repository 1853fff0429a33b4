"""What the usual way comes to beside this project's, as a table."""

from dataclasses import replace

from bench.test_report import cells
from benchmarks.naive.__main__ import Result, figures, table


def test_only_this_project_promises_to_lose_nothing() -> None:
    usual = Result("the usual way", [2.0, 4.0], [0.5, 1.5], files_a_minute=60.4, events=1431, counted=1403)
    ours = replace(usual, name="this project, duckdb", counted=1431)
    *_, lost = figures([usual])
    assert (lost.values, lost.goal) == ((28,), None)
    fresh, *_, lost = figures([ours])
    assert (fresh.name, fresh.values) == ("this project, duckdb: event → answer, p50", (3.0,))
    assert lost.goal is not None
    assert lost.goal.is_met(lost.median)


def test_a_row_says_what_was_lost_and_how_late_the_answers_were() -> None:
    usual = Result("the usual way", [2.0, 4.0], [0.5, 1.5], files_a_minute=60.4, events=1431, counted=1403)
    (row,) = cells(table([usual]))
    assert row["not counted"] == "28"
    assert row["event → answer p50 / p95 / p99, s"] == "3.00 / 3.90 / 3.98"
    assert row["answer p50 / p99, s"] == "1.000 / 1.490"
    assert row["files a minute"] == "60"
