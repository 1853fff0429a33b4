"""Figures as data: in a file, put together, as a table."""

from pathlib import Path

import pytest

from bench.test_report import cells
from benchmarks import figures
from benchmarks.figures import Figure, Goal

BATCH = Figure("batch", "s", (0.3, 0.1, 0.8), Goal(0.5))
RATE = Figure("rate", "events/s", (12_345.6,), Goal(15_000, at_most=False))


def test_a_figure_comes_back_from_a_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    plain = Figure("files", "files", (1.0, 2.0))
    figures.write(file, [BATCH, RATE, plain])
    assert figures.read(file) == [BATCH, RATE, plain]


def test_a_file_tells_what_a_reader_would_compute_first() -> None:
    told = BATCH.to_json()
    assert {name: told[name] for name in ("name", "unit", "median", "low", "high", "repetitions")} == {
        "name": "batch",
        "unit": "s",
        "median": 0.3,
        "low": 0.1,
        "high": 0.8,
        "repetitions": 3,
    }


def test_repetitions_of_one_name_are_put_together_in_their_order() -> None:
    again = Figure("batch", "s", (0.2,), Goal(0.5))
    assert figures.together([BATCH, RATE, again]) == [
        Figure("batch", "s", (0.3, 0.1, 0.8, 0.2), Goal(0.5)),
        RATE,
    ]


def test_a_row_shows_median_spread_and_whether_the_goal_is_met() -> None:
    batch, rate = cells(figures.table({"consumer": [BATCH], "producer": [RATE]}))
    assert batch == {
        "part": "consumer",
        "figure": "batch",
        "unit": "s",
        "median": "**0.3**",
        "lowest – highest": "0.1 – 0.8",
        "repetitions": "3",
        "goal": "≤ 0.5: met",
    }
    assert (rate["part"], rate["median"], rate["lowest – highest"]) == ("producer", "**12,346**", "")
    assert rate["goal"] == "≥ 15,000: MISSED"


@pytest.mark.parametrize(
    ("value", "text"), [(0.012345, "0.0123"), (1.05, "1.05"), (99.44, "99.4"), (1234.5, "1,234"), (0, "0")]
)
def test_three_digits_are_enough(value: float, text: str) -> None:
    assert figures.shown(value) == text
