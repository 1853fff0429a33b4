"""Tables and their place in the documentation."""

import pytest

from benchmarks import footprint, whole
from benchmarks.freshness.__main__ import SECTIONS
from benchmarks.freshness.moments import Passage
from benchmarks.freshness.pipeline import Case, Freshness, Idle
from benchmarks.freshness.report import cores_table, idle_table, latency_table
from benchmarks.markdown import NoMarkers, written
from benchmarks.naive import __main__ as naive
from docs.pages import ROOT, text_of
from soak_run import __main__ as soak

CASE = Case("duckdb", 40, "400ms")
CORES = {"producer": 0.1, "consumer": 0.25, "web": 0.05, "simulator": 0.7, "browser": 0.2}
PAGE = "before\n\n<!-- idle: begin -->\n\nold\n\n<!-- idle: end -->\n\nafter\n"


def cells(table: str) -> list[dict[str, str]]:
    """Each row by the names of the columns."""
    head, line, *rows = ([cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines())
    assert set(line) == {"---"}
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_a_row_says_what_was_measured_and_how_late_each_stage_is() -> None:
    runs = [Freshness(CASE, [Passage((10.0, 10.1, 10.3, 10.6, 11.0))] * 3, CORES)]
    assert cells(latency_table(runs)) == [
        {
            "engine": "duckdb",
            "events/s": "40",
            "trigger": "400ms",
            "events": "3",
            "event → browser p50 / p95 / p99": "**1.00** / 1.00 / 1.00",
            "stream → topic p50 / p95": "0.10 / 0.10",
            "topic → commit p50 / p95": "0.20 / 0.20",
            "commit → answer p50 / p95": "0.30 / 0.30",
            "answer → browser p50 / p95": "0.40 / 0.40",
        }
    ]


def test_together_are_the_parts_of_the_pipeline_alone() -> None:
    case = Case("spark", 400, "500ms")
    row = cells(cores_table([Freshness(case, [], CORES)]))[0]
    assert (row["engine"], row["events/s"], row["trigger"]) == ("spark", "400", "500ms")
    assert (row["consumer"], row["Kafka"], row["simulator"]) == ("0.25", "0.00", "0.70")
    assert row["**together**"] == "**0.40**"
    idle = cells(idle_table([Idle(case, "silent", CORES)]))[0]
    assert (idle["the stream is"], idle["**together**"]) == ("silent", "**0.40**")


def test_a_text_takes_the_place_of_the_last_one_between_its_markers() -> None:
    once = written(PAGE, "idle", "new\nlines")
    assert once == PAGE.replace("old", "new\nlines")
    assert written(once, "idle", "old") == PAGE


@pytest.mark.parametrize("page", ["", PAGE.replace("end", "and"), PAGE.replace("begin", "start")])
def test_a_page_without_markers_is_not_changed(page: str) -> None:
    with pytest.raises(NoMarkers):
        written(page, "idle", "new")


@pytest.mark.parametrize(
    "section", [*SECTIONS, footprint.SECTION, naive.SECTION, whole.SECTION, soak.SECTION]
)
def test_the_documentation_has_a_place_for_each_section(section: str) -> None:
    """Not found missing after half an hour of measuring."""
    assert "\nnew\n" in written(text_of(ROOT / "docs/benchmarks.md"), section, "new")
