"""Whether anything has grown."""

import pytest

from bench.test_report import cells
from soak_run.report import Row, rows, text
from soak_run.usage import Key, Measure

WEB = Key(Measure.MEMORY, "web")
BROKER = Key(Measure.DISK, "broker")


@pytest.mark.parametrize(
    ("key", "start", "end", "grown"),
    [
        (WEB, 500.0, 549.0, False),
        (WEB, 500.0, 551.0, True),
        (WEB, 500.0, 400.0, False),
        # More than a tenth, but no more than two looks differ.
        (WEB, 50.0, 59.0, False),
        (Key(Measure.THREADS, "producer"), 3.0, 5.0, False),
        (Key(Measure.FILES, "producer"), 20.0, 40.0, True),
        (Key(Measure.DURATION, "batch"), 0.2, 0.23, True),
        (Key(Measure.DISK, "logs"), 0.0, 6.0, True),
        (BROKER, 100.0, 900.0, False),
    ],
)
def test_more_than_a_tenth_and_than_chance_is_growth(key: Key, start: float, end: float, grown: bool) -> None:
    assert Row(key, start, end).has_grown == grown


def test_a_row_shows_start_end_and_verdict() -> None:
    web, broker, new = rows({WEB: 500.0, BROKER: 100.0}, {WEB: 600.0, BROKER: 300.0, WEB._replace(of="x"): 1})
    assert (new.start, new.end) == (0.0, 1)
    table, note = text([web, broker]).split("\n\n")
    shown, unjudged = cells(table)
    assert list(shown.values()) == ["memory", "web", "MB", "500", "600", "1.20", "GROWN"]
    assert unjudged["goal ≤ 1.1"] == "not judged"
    assert note.startswith("Not judged: disk of broker.")
