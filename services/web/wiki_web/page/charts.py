"""The charts as SVG path data, for a box that the page stretches; their labels are HTML beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

from wiki_web.data.documents import Bucket
from wiki_web.page.formats import minute, thousands

WIDTH = 600
HEIGHT = 100
_X_LABELS = 5
_LEAST = 1.5  # the lowest column, so that a single change can be seen
_ROUND = (2, 4, 6, 8, 10, 12, 14, 16, 20, 24, 30, 40, 50, 60, 80)


def columns(values: Sequence[int], highest: int) -> str:
    """A column of width 2 and gap 1 per value, in a box of height 20 that `highest` fills."""
    scale = 20 / max(highest, 1)
    return "".join(
        f"M{index * 3} 20v{-min(max(value * scale, _LEAST), 20):.4g}h2V20z"
        for index, value in enumerate(values)
        if value
    )


def ceiling(highest: int) -> int:
    """Where an axis ends that has to reach `highest`: the next round even number."""
    power = 1
    while True:
        for round_number in _ROUND:
            if round_number * power >= highest:
                return round_number * power
        power *= 10


@dataclass(frozen=True)
class AreaChart:
    """`area` and `line` are path data in WIDTH × HEIGHT; labels run from low to high, and left to right."""

    area: str
    line: str
    y_labels: tuple[str, str, str]
    x_labels: tuple[str, ...]
    summary: str


def area_chart(buckets: Sequence[Bucket], per: str) -> AreaChart | None:
    """Changes in each of the timeline's `buckets`, each `per` long; None for fewer than two buckets."""
    if len(buckets) < 2:
        return None
    values = [bucket.changes for bucket in buckets]
    top = ceiling(max(values))
    step = WIDTH / (len(values) - 1)
    line = "L".join(
        f"{index * step:.5g} {HEIGHT - value * HEIGHT / top:.4g}" for index, value in enumerate(values)
    )
    labelled = [round(label * (len(buckets) - 1) / (_X_LABELS - 1)) for label in range(_X_LABELS)]
    return AreaChart(
        area=f"M0 {HEIGHT}L{line}L{WIDTH} {HEIGHT}z",
        line=f"M{line}",
        y_labels=("0", thousands(top // 2), thousands(top)),
        x_labels=tuple(minute(buckets[index].end) for index in labelled),
        summary=(
            f"Changes per {per} from {minute(buckets[0].start)} to {minute(buckets[-1].end)} UTC: "
            f"between {thousands(min(values))} and {thousands(max(values))}, "
            f"{thousands(values[-1])} in the last {per}."
        ),
    )
