"""Start and end beside each other, and whether anything has grown."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.figures import shown
from benchmarks.markdown import table
from soak_run.usage import Key, Measure, Usage

MOST: Final = 1.1
"""How much more it may be in the end."""
_NOT_JUDGED: Final = {
    Key(
        Measure.DISK, "broker"
    ): "Kafka deletes whole segments, of a week or 1 GB: longer and more than this run"
}


@dataclass(frozen=True)
class Row:
    """One thing at the start and at the end of a run."""

    key: Key
    start: float
    end: float

    @property
    def has_grown(self) -> bool:
        """By more than a tenth, and by more than chance."""
        more = self.end > self.start * MOST and self.end - self.start > self.key.measure.chance
        return more and self.key not in _NOT_JUDGED

    def to_json(self) -> dict[str, Any]:
        measure = self.key.measure
        return {
            "measure": measure.title,
            "of": self.key.of,
            "unit": measure.unit,
            "start": self.start,
            "end": self.end,
            "grown": self.has_grown,
        }


def rows(start: Usage, end: Usage) -> list[Row]:
    """One for each thing that was seen at the start or at the end."""
    keys = dict.fromkeys((*start, *end))
    return [Row(key, start.get(key, 0.0), end.get(key, 0.0)) for key in keys]


def text(found: list[Row]) -> str:
    """A row for each as Markdown, and what isn't judged."""
    shown_rows = table(
        ["", "of", "unit", "start", "end", "end : start", f"goal ≤ {MOST}"],
        (_cells(row) for row in found),
    )
    return "\n\n".join((shown_rows, *_notes(found)))


def _cells(row: Row) -> list[str]:
    ratio = f"{row.end / row.start:.2f}" if row.start else ""
    verdict = "not judged" if row.key in _NOT_JUDGED else "GROWN" if row.has_grown else "met"
    measure = row.key.measure
    return [measure.title, row.key.of, measure.unit, shown(row.start), shown(row.end), ratio, verdict]


def _notes(found: list[Row]) -> Iterator[str]:
    for key, reason in _NOT_JUDGED.items():
        if any(row.key == key for row in found):
            yield f"Not judged: {key.measure.title} of {key.of}. {reason}."
