"""The dashboard's panels as a page of HTML: lines, and fields that are colored by what they say."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import cycle, pairwise
from typing import Any, Final

WIDTH: Final = 1280
HEIGHT: Final = 986

# The grid is Grafana's: 24 columns, rows of 30 pixels, 8 between them.
_GAP: Final = 8
_COLUMN: Final = (WIDTH - 25 * _GAP) / 24
_PADDING: Final = 10
_PLOT: Final = 140
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 10, 8, 20
_TICKS: Final = 4

_COLORS: Final = (
    "#2f6fb3", "#d0721b", "#3d8b4f", "#8e5bb0", "#b8373f", "#1f8f96", "#96741a", "#c2589a", "#5f6b76",
)  # fmt: skip
_STYLE: Final = f"""
body {{ margin: 0; padding: {_GAP}px; background: #eef0f3; color: #202122; font: 12px/16px sans-serif; }}
header {{ display: flex; justify-content: space-between; height: 28px; padding: 0 2px; line-height: 22px; }}
h1 {{ margin: 0; font-size: 16px; }} h2 {{ margin: 0 0 4px; font-size: 13px; }}
main {{ display: grid; grid: auto-flow 30px / repeat(24, 1fr); gap: {_GAP}px; }}
section {{ display: flex; flex-direction: column; overflow: hidden; padding: 6px {_PADDING}px;
  background: #fff; border: 1px solid #d8dce1; border-radius: 3px; box-sizing: border-box; }}
.fields {{ display: flex; flex: 1; gap: 6px; }}
.field {{ display: flex; flex: 1; flex-direction: column; justify-content: center; text-align: center;
  color: #fff; }}
.field b {{ font-size: 20px; line-height: 28px; }}
.green {{ background: #2f7d4a; }} .orange {{ background: #b25a00; }} .red {{ background: #b3302b; }}
.nothing {{ margin: auto; color: #5d646c; }}
ul {{ display: flex; flex-wrap: wrap; margin: 4px 0 0; padding: 0; list-style: none; gap: 0 12px; }}
li::before {{ content: ""; display: inline-block; width: 12px; height: 3px; margin: 0 5px 3px 0;
  background: var(--color); }}
svg {{ flex: none; }} svg text {{ fill: #4a5058; }}
.axis {{ text-anchor: end; }} .time {{ text-anchor: middle; }}
.grid {{ stroke: #e3e6ea; }}
.line {{ fill: none; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }}
"""


@dataclass(frozen=True)
class Series:
    """A line of a panel, or a field with one value: seconds since the epoch, and the value then."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Span:
    """What the time axis shows, in seconds since the epoch, with a value each `step` seconds."""

    start: float
    end: float
    step: int


def page(
    title: str, note: str, panels: Mapping[int, Sequence[Series]], model: Sequence[Any], span: Span
) -> str:
    """All panels of the dashboard's `model`, each with what was found for its id; well-formed XML, too."""
    sections = "\n".join(_section(panel, panels[panel["id"]], span) for panel in model)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body><header><h1>{escape(title)}</h1>"
        f"<span>{_clock(span.start)} to {_clock(span.end)} UTC, {escape(note)}</span></header>\n"
        f"<main>{sections}</main></body></html>\n"
    )


def _section(panel: Mapping[str, Any], found: Sequence[Series], span: Span) -> str:
    place = panel["gridPos"]
    area = f"{place['y'] + 1} / {place['x'] + 1} / span {place['h']} / span {place['w']}"
    known = [each for each in found if any(math.isfinite(value) for _, value in each.points)]
    if not known:
        content = '<p class="nothing">no data</p>'
    elif panel["type"] == "stat":
        content = f'<div class="fields">{"".join(_field(panel, each) for each in known)}</div>'
    else:
        content = _chart(panel, known, span)
    return f'<section style="grid-area: {area}"><h2>{escape(panel["title"])}</h2>{content}</section>'


def _field(panel: Mapping[str, Any], series: Series) -> str:
    defaults, value = panel["fieldConfig"]["defaults"], series.points[-1][1]
    steps = defaults["thresholds"]["steps"]
    color = [step["color"] for step in steps if step["value"] is None or step["value"] <= value][-1]
    words = {
        key: each["text"]
        for mapping in defaults.get("mappings", ())
        for key, each in mapping["options"].items()
    }
    shown = words.get(f"{value:g}") or text(value, defaults["unit"])
    return f'<div class="field {color}"><b>{escape(shown)}</b>{escape(series.name)}</div>'


def _chart(panel: Mapping[str, Any], found: Sequence[Series], span: Span) -> str:
    defaults = panel["fieldConfig"]["defaults"]
    width = panel["gridPos"]["w"] * (_COLUMN + _GAP) - _GAP - 2 * _PADDING - 2
    scale = _Scale.of(
        [value for each in found for _, value in each.points],
        defaults["unit"],
        logarithmic="custom" in defaults,
    )
    paint = _Paint(width, scale, span)
    colored = [*zip(found, cycle(_COLORS), strict=False)]
    axes = "".join(paint.axes(defaults["unit"]))
    lines = "".join(paint.line(each, color) for each, color in colored)
    names = "".join(f'<li style="--color: {color}">{escape(each.name)}</li>' for each, color in colored)
    return f'<svg width="{width:.0f}" height="{_PLOT}">{axes}{lines}</svg><ul>{names}</ul>'


@dataclass(frozen=True)
class _Scale:
    """Which values have a label, from the least to the greatest that is shown."""

    ticks: Sequence[float]
    logarithmic: bool

    @classmethod
    def of(cls, values: Sequence[float], unit: str, *, logarithmic: bool) -> "_Scale":
        """Has room for all of them, of a logarithmic one for all above zero."""
        finite = [value for value in values if math.isfinite(value)]
        if logarithmic:
            powers = [math.log10(value) for value in finite if value > 0] or [0.0]
            first = math.floor(min(powers))
            last = max(math.ceil(max(powers)), first + 1)
            return cls([10.0**power for power in range(first, last + 1)], logarithmic)
        least, most = min(0.0, *finite), max(0.0, *finite)
        step = _step((most - least) or 1.0, unit)
        first, last = math.floor(least / step), max(math.ceil(most / step), 1)
        return cls([number * step for number in range(first, last + 1)], logarithmic)

    def share(self, value: float) -> float | None:
        """How far up it is, 0 to 1; None for what has no place."""
        if not math.isfinite(value) or (self.logarithmic and value <= 0):
            return None
        least, most, at = (
            (math.log10(each) if self.logarithmic else each)
            for each in (self.ticks[0], self.ticks[-1], value)
        )
        return (at - least) / (most - least)


def _step(length: float, unit: str) -> float:
    """Between two labels, so that there are few and their numbers are short."""
    if unit == "bytes":
        return 2.0 ** math.ceil(math.log2(length / _TICKS))
    power = 10.0 ** math.floor(math.log10(length / _TICKS))
    return next(step for step in (power, 2 * power, 5 * power, 10 * power) if length / step <= _TICKS)


@dataclass(frozen=True)
class _Paint:
    """Draws into an SVG that is `width` pixels wide."""

    width: float
    scale: _Scale
    span: Span

    def axes(self, unit: str) -> Iterator[str]:
        right = self.width - _RIGHT
        for tick in self.scale.ticks:
            y = self._y(self.scale.share(tick) or 0.0)
            yield f'<path class="grid" d="M{_LEFT} {y:.1f}H{right:.1f}"/>'
            yield f'<text class="axis" x="{_LEFT - 6}" y="{y + 4:.1f}">{text(tick, unit)}</text>'
        for minute in range(math.ceil(self.span.start / 60), math.floor(self.span.end / 60) + 1):
            x, clock = self._x(60 * minute), _clock(60 * minute)[:5]
            if x < right - _RIGHT:
                yield f'<text class="time" x="{x:.1f}" y="{_PLOT - 4}">{clock}</text>'

    def line(self, series: Series, color: str) -> str:
        """A path that is broken where there are no values."""
        places = [
            (time, self._x(time), self._y(share))
            for time, value in series.points
            if (share := self.scale.share(value)) is not None
        ]
        # A value without neighbors is a dot.
        path = "".join(f"M{x:.1f} {y:.1f}h0" for _, x, y in places[:1])
        for (before, *_), (time, x, y) in pairwise(places):
            path += f"L{x:.1f} {y:.1f}" if time - before < 1.5 * self.span.step else f"M{x:.1f} {y:.1f}h0"
        return f'<path class="line" stroke="{color}" d="{path}"/>'

    def _x(self, time: float) -> float:
        share = (time - self.span.start) / (self.span.end - self.span.start)
        return _LEFT + share * (self.width - _LEFT - _RIGHT)

    def _y(self, share: float) -> float:
        return _PLOT - _BOTTOM - share * (_PLOT - _TOP - _BOTTOM)


def text(value: float, unit: str) -> str:
    """A value with its unit, one of Grafana's names for them."""
    if unit == "bytes":
        power = min(int(math.log2(value) // 10), 4) if value >= 1 else 0
        return f"{_number(value / 1024**power)} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[power]}"
    if unit == "s" and 0 < abs(value) < 1:
        return f"{_number(1000 * value)} ms"
    return f"{_number(value)} {({'s': 's', 'cps': 'c/s'}).get(unit, '')}".strip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _clock(time: float) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%H:%M:%S}"
