"""What the usual way comes to beside this project's, as a table."""

from bench.test_report import cells
from benchmarks.naive.__main__ import Result, table


def test_a_row_says_what_was_lost_and_how_late_the_answers_were() -> None:
    usual = Result("the usual way", [2.0, 4.0], [0.5, 1.5], files_a_minute=60.4, events=1431, counted=1403)
    (row,) = cells(table([usual]))
    assert row["not counted"] == "28"
    assert row["event → answer p50 / p95 / p99, s"] == "3.00 / 3.90 / 3.98"
    assert row["answer p50 / p99, s"] == "1.000 / 1.490"
    assert row["files a minute"] == "60"
