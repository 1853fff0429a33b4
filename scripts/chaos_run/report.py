"""A history as tables: how often each fault came, and how far behind the page was after it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.markdown import table

Entry = Mapping[str, Any]

CAUGHT_UP: Final = 10.0
"""Seconds behind at which a page has caught up, on a machine that is busy with the faults."""
SETTLES: Final = 15.0
"""Seconds after a fault until a page that has not caught up shows it."""
_OUTCOMES: Final = ("done", "missed", "skipped")
_HEAD: Final = ("made", "missed", "skipped", "longest behind", "median")


@dataclass
class Row:
    """What came of the faults of one kind, or at one target."""

    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_OUTCOMES, 0))
    behind: list[float] = field(default_factory=list)
    """Of each that was made: the longest time in seconds that the page was behind after it."""


def read(path: Path) -> list[Entry]:
    """The history's lines."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def made(history: Iterable[Entry]) -> int:
    """How many faults were made."""
    return sum(entry["what"] == "over" and entry["outcome"] == "done" for entry in history)


def tables(history: Sequence[Entry]) -> str:
    """By kind, and by target; faults overlap, and each counts what the page was behind because of any."""
    return "\n\n".join(_table(name, rows_by(history, name)) for name in ("kind", "target"))


def rows_by(history: Sequence[Entry], name: str) -> dict[str, Row]:
    """A row for each `kind` or `target` of the planned faults, in alphabetical order."""
    planned = {entry["number"]: entry for entry in history if entry["what"] == "planned"}
    begins = {entry["number"]: entry["at"] for entry in history if entry["what"] == "fault"}
    looks = [(entry["at"], entry["behind"]) for entry in history if entry["what"] == "look"]
    rows: dict[str, Row] = {key: Row() for key in sorted({each[name] for each in planned.values()})}
    for over in (entry for entry in history if entry["what"] == "over"):
        row, number = rows[planned[over["number"]][name]], over["number"]
        row.outcomes[over["outcome"]] = row.outcomes.get(over["outcome"], 0) + 1
        if over["outcome"] == "done":
            row.behind.append(longest_behind(looks, begins[number], over["at"]))
    return rows


def longest_behind(looks: Iterable[tuple[float, float]], begin: float, over: float) -> float:
    """From a fault's begin until the page has caught up after it; `looks` are times and seconds behind."""
    longest = 0.0
    for at, behind in looks:
        if at < begin:
            continue
        longest = max(longest, behind)
        if at >= over + SETTLES and behind <= CAUGHT_UP:
            break
    return longest


def _table(name: str, rows: Mapping[str, Row]) -> str:
    return table((name, *_HEAD), ((key, *_cells(row)) for key, row in rows.items()))


def _cells(row: Row) -> list[str]:
    times = [f"{max(row.behind):.0f} s", f"{median(row.behind):.0f} s"] if row.behind else ["", ""]
    return [*(str(row.outcomes[outcome]) for outcome in _OUTCOMES), *times]
