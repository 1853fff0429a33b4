"""The charts as SVG path data, for a box that the page stretches; their labels are HTML beside it.

A count of None is not known: no line goes there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from wiki_web.data.documents import Gap, TimelineDocument
from wiki_web.page.formats import minute, thousands

WIDTH = 600
HEIGHT = 100
_X_LABELS = 5
_LEAST = 1.5  # the lowest column, so that a single change can be seen
_ROUND = (2, 4, 6, 8, 10, 12, 14, 16, 20, 24, 30, 40, 50, 60, 80)


def columns(values: Sequence[int | None], highest: int) -> str:
    """A column of width 2 and gap 1 per value, in a box of height 20 that `highest` fills."""
    scale = 20 / max(highest, 1)
    return "".join(
        f"M{index * 3} 20v{-min(max(value * scale, _LEAST), 20):.4g}h2V20z"
        for index, value in enumerate(values)
        if value
    )


def unknown_columns(values: Sequence[int | None]) -> str:
    """As `columns`, in the same box: a full one where a value isn't known."""
    return "".join(f"M{index * 3} 20V0h2V20z" for index, value in enumerate(values) if value is None)


def sparkline_words(values: Sequence[int | None], per: str) -> str:
    """What `columns` shows, for those who don't see it."""
    known = [value for value in values if value is not None]
    last = "not known" if values[-1] is None else values[-1]
    return f"at most {max(known, default=0)} per {per}, {last} in the last"


def ceiling(highest: int) -> int:
    """Where an axis ends that has to reach `highest`: the next round even number."""
    power = 1
    while True:
        for round_number in _ROUND:
            if round_number * power >= highest:
                return round_number * power
        power *= 10


@dataclass(frozen=True)
class Unknown:
    """Where nobody watched, from `left` on, in percent of the chart's width."""

    left: float
    width: float


@dataclass(frozen=True)
class AreaChart:
    """`area` and `line` are path data in WIDTH × HEIGHT; labels run from low to high, and left to right."""

    area: str
    line: str
    unknown: tuple[Unknown, ...]
    y_labels: tuple[str, str, str]
    x_labels: tuple[str, ...]
    summary: str


def area_chart(timeline: TimelineDocument, per: str) -> AreaChart | None:
    """Changes in each of the timeline's buckets, each `per` long; None for fewer than two buckets."""
    buckets = timeline.minutes
    if len(buckets) < 2:
        return None
    values = [bucket.changes for bucket in buckets]
    known = [value for value in values if value is not None]
    top = ceiling(max(known, default=0))
    runs = _runs(values, top)
    labelled = [round(label * (len(buckets) - 1) / (_X_LABELS - 1)) for label in range(_X_LABELS)]
    return AreaChart(
        area="".join(f"M{run[0][0]} {HEIGHT}L{_points(run)}L{run[-1][0]} {HEIGHT}z" for run in runs),
        line="".join(f"M{_points(run)}" for run in runs),
        unknown=tuple(_unknown(gap, timeline) for gap in timeline.gaps),
        y_labels=("0", thousands(top // 2), thousands(top)),
        x_labels=tuple(minute(buckets[index].end) for index in labelled),
        summary=_summary(timeline, known, per),
    )


_Point = tuple[str, str]


def _runs(values: Sequence[int | None], top: int) -> list[list[_Point]]:
    """The points of the line, which is broken where a value isn't known.

    A point stands at its bucket's end, so after a break the line begins where that bucket does.
    """
    step = WIDTH / (len(values) - 1)
    runs = []
    for known, group in groupby(enumerate(values), key=lambda each: each[1] is not None):
        if not known:
            continue
        points = [(index * step, HEIGHT - (value or 0) * HEIGHT / top) for index, value in group]
        x, y = points[0]
        if x > 0:
            points.insert(0, (x - step, y))
        runs.append([(f"{x:.5g}", f"{y:.4g}") for x, y in points])
    return runs


def _points(run: list[_Point]) -> str:
    return "L".join(f"{x} {y}" for x, y in run)


def _unknown(gap: Gap, timeline: TimelineDocument) -> Unknown:
    """A bucket's point stands at its end, so the chart begins at the end of the first."""
    first, last = timeline.minutes[0].end, timeline.minutes[-1].end
    left = max(0.0, 100 * ((gap.start - first) / (last - first)))
    return Unknown(left, max(0.0, 100 * ((gap.end - first) / (last - first)) - left))


def _summary(timeline: TimelineDocument, known: Sequence[int], per: str) -> str:
    buckets = timeline.minutes
    words = f"Changes per {per} from {minute(buckets[0].start)} to {minute(buckets[-1].end)} UTC: "
    if not known:
        return f"{words}not known."
    last = buckets[-1].changes
    words += (
        f"between {thousands(min(known))} and {thousands(max(known))}, "
        f"{'not known' if last is None else thousands(last)} in the last {per}."
    )
    gaps = ", ".join(f"from {minute(gap.start)} to {minute(gap.end)}" for gap in timeline.gaps)
    return f"{words} Not known {gaps}." if gaps else words
