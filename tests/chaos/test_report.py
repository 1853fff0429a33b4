from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chaos_run.history import History
from chaos_run.report import longest_behind, made, read, rows_by, tables


def planned(number: int, kind: str, target: str) -> dict[str, Any]:
    return {"at": 0.0, "what": "planned", "number": number, "kind": kind, "target": target}


def begun(number: int, at: float) -> dict[str, Any]:
    return {"at": at, "what": "fault", "number": number}


def over(number: int, at: float, outcome: str = "done") -> dict[str, Any]:
    return {"at": at, "what": "over", "number": number, "outcome": outcome}


def looks(*behind: float, at: float) -> list[Mapping[str, Any]]:
    """One each second."""
    return [{"at": at + second, "what": "look", "behind": seconds} for second, seconds in enumerate(behind)]


def test_a_page_is_behind_until_it_has_caught_up() -> None:
    seen = [(float(second), behind) for second, behind in enumerate([1, *range(2, 40), 3, 50])]
    assert longest_behind(seen, begin=1, over=2) == 39


def test_a_page_that_has_not_had_the_time_to_fall_behind_has_not_caught_up() -> None:
    seen = [(float(second), 2.0 + second) for second in range(60)]
    assert longest_behind(seen, begin=0, over=0) == 61


def test_what_was_before_a_fault_is_not_blamed_on_it() -> None:
    assert longest_behind([(0.0, 99.0), (1.0, 5.0)], begin=1, over=1) == 5


def test_a_row_counts_what_was_made_missed_and_skipped_and_says_how_far_behind_the_page_was() -> None:
    history = [
        planned(1, "SIGKILL", "web-worker"),
        planned(2, "SIGKILL", "kafka"),
        planned(3, "SIGKILL", "kafka"),
        planned(4, "disk full", "volume"),
        begun(1, 0),
        over(1, 0),
        *looks(*[30.0] * 16, 2.0, at=0),
        begun(2, 100),
        over(2, 100),
        *looks(*[12.0] * 16, 2.0, at=100),
        over(3, 200, "missed"),
        over(4, 200, "skipped"),
    ]
    rows = rows_by(history, "kind")
    assert list(rows) == ["SIGKILL", "disk full"]
    assert rows["SIGKILL"].outcomes == {"done": 2, "missed": 1, "skipped": 0}
    assert rows["SIGKILL"].behind == [30, 12]
    assert rows_by(history, "target")["kafka"].behind == [12]
    assert made(history) == 2
    lines = tables(history).splitlines()
    assert "| SIGKILL | 2 | 1 | 0 | 30 s | 21 s |" in lines
    assert "| disk full | 0 | 0 | 1 |  |  |" in lines


def test_a_history_can_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "history.jsonl"
    history = History(path)
    history.note("compared", different={"Ærø": {"stream": 1, "page": 2}})
    history.close()
    [line] = read(path)
    assert line["what"] == "compared"
    assert line["different"] == {"Ærø": {"stream": 1, "page": 2}}
    assert line["at"] >= 0
