"""Measurements as an SVG: a bar of its stages for each run, with marks at the percentiles."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final
from xml.sax.saxutils import escape

from benchmarks.freshness.moments import STAGES, Passage, percentiles

_WIDTH: Final = 900
_LEFT: Final = 210
_RIGHT: Final = 30
_ROW: Final = 56
_BAR: Final = 22
_TOP: Final = 44
_MOST_LABELS: Final = 8

# Its own background, since it is shown on light and dark pages alike.
_STYLE: Final = """
svg { font: 13px system-ui, sans-serif; fill: #202122; }
.paper { fill: #fff; } .grid { stroke: #dadde3; } .mark { stroke: #202122; stroke-width: 2; }
.small { font-size: 11px; fill: #54595d; }
.middle { text-anchor: middle; } .end { text-anchor: end; }
.stage0 { fill: #8da9c4; } .stage1 { fill: #3a6ea5; } .stage2 { fill: #e0a458; } .stage3 { fill: #6a994e; }
"""


@dataclass(frozen=True)
class Row:
    """A run, by the name that stands beside its bar."""

    name: str
    passages: Sequence[Passage]


def svg(rows: Sequence[Row]) -> str:
    """The mean of each stage, as these add up, and the whole way's p50, p95 and p99."""
    longest = max(percentiles([passage.seconds for passage in row.passages]).p99 for row in rows)
    step = _step(longest)
    most = step * math.ceil(longest / step)
    scale = (_WIDTH - _LEFT - _RIGHT) / most
    bottom = _TOP + _ROW * len(rows)
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {bottom + 40}" role="img">',
            "<title>Seconds from the stream to the browser</title>",
            f"<style>{_STYLE}</style>",
            '<rect class="paper" width="100%" height="100%"/>',
            *_legend(),
            *_axis(step, round(most / step), scale, bottom),
            *(part for place, row in enumerate(rows) for part in _row(row, _TOP + _ROW * place, scale)),
            "</svg>\n",
        )
    )


def _step(most: float) -> float:
    """Seconds between two labels: 1, 2 or 5 of a power of ten, so that there are few."""
    power = 10.0 ** math.floor(math.log10(most / _MOST_LABELS))
    return next(step for step in (power, 2 * power, 5 * power, 10 * power) if most / step <= _MOST_LABELS)


def _legend() -> Iterator[str]:
    for number, stage in enumerate(STAGES):
        left = _LEFT + 160 * number
        yield f'<rect class="stage{number}" x="{left}" y="12" width="12" height="12"/>'
        yield f'<text x="{left + 18}" y="23">{escape(stage)}</text>'


def _axis(step: float, count: int, scale: float, bottom: float) -> Iterator[str]:
    for number in range(count + 1):
        x = _LEFT + number * step * scale
        yield f'<path class="grid" d="M{x:.1f} {_TOP}V{bottom}"/>'
        yield f'<text class="small middle" x="{x:.1f}" y="{bottom + 18}">{number * step:g} s</text>'


def _row(row: Row, top: float, scale: float) -> Iterator[str]:
    y = top + 20
    yield f'<text class="end" x="{_LEFT - 12}" y="{y + 16}">{escape(row.name)}</text>'
    left = float(_LEFT)
    for number, stage in enumerate(zip(*(passage.stages for passage in row.passages), strict=True)):
        width = fmean(stage) * scale
        yield f'<rect class="stage{number}" x="{left:.1f}" y="{y}" width="{width:.1f}" height="{_BAR}"/>'
        left += width
    found = percentiles([passage.seconds for passage in row.passages])
    # Anchored so that the names of neighbours don't meet.
    for name, seconds, anchor in zip(found._fields, found, ("middle", "end", ""), strict=True):
        x = _LEFT + seconds * scale
        yield f'<path class="mark" d="M{x:.1f} {y - 4}v{_BAR + 8}"/>'
        yield f'<text class="small {anchor}" x="{x:.1f}" y="{y - 7}">{name}</text>'
