"""What was measured, as data: to be shown, kept in a file, and put together with other repetitions of it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Self

from benchmarks import markdown


@dataclass(frozen=True)
class Goal:
    """What a figure should be at most, or else at least."""

    bound: float
    at_most: bool = True

    def is_met(self, value: float) -> bool:
        return value <= self.bound if self.at_most else value >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {shown(self.bound)}"


@dataclass(frozen=True)
class Figure:
    """One thing that was measured: `values` has one for each repetition, at least one."""

    name: str
    unit: str
    values: tuple[float, ...]
    goal: Goal | None = None

    @property
    def median(self) -> float:
        return median(self.values)

    def to_json(self) -> dict[str, Any]:
        """With what a reader would compute first, and the values themselves."""
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "low": min(self.values),
            "high": max(self.values),
            "repetitions": len(self.values),
            "values": self.values,
            "goal": self.goal and {"bound": self.goal.bound, "at_most": self.goal.at_most},
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        goal = found["goal"] and Goal(**found["goal"])
        return cls(found["name"], found["unit"], tuple(found["values"]), goal)


def together(figures: Iterable[Figure]) -> list[Figure]:
    """One figure for each name, with all of its repetitions; the name that came first is first."""
    found: dict[str, Figure] = {}
    for figure in figures:
        before = found.get(figure.name)
        values = (*before.values, *figure.values) if before else figure.values
        found[figure.name] = Figure(figure.name, figure.unit, values, figure.goal)
    return list(found.values())


def write(file: Path, figures: Iterable[Figure]) -> None:
    file.write_text(json.dumps([figure.to_json() for figure in figures]), encoding="utf-8")


def read(file: Path) -> list[Figure]:
    """What `write` wrote. Raises OSError, and ValueError if it is half there."""
    return [Figure.from_json(each) for each in json.loads(file.read_text(encoding="utf-8"))]


def table(parts: Mapping[str, Sequence[Figure]]) -> str:
    """A row for each figure of each part, as Markdown."""
    return markdown.table(
        ["part", "figure", "unit", "median", "lowest – highest", "repetitions", "goal"],
        ([part, *_cells(figure)] for part, figures in parts.items() for figure in figures),
    )


def _cells(figure: Figure) -> list[str]:
    low, high = min(figure.values), max(figure.values)
    return [
        figure.name,
        figure.unit,
        f"**{shown(figure.median)}**",
        f"{shown(low)} – {shown(high)}" if len(figure.values) > 1 else "",
        str(len(figure.values)),
        f"{figure.goal}: {'met' if figure.goal.is_met(figure.median) else 'MISSED'}" if figure.goal else "",
    ]


def shown(value: float) -> str:
    """With three significant digits, and all digits before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
