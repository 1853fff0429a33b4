"""The dashboard drawn without Grafana: what stands in a panel, and where its lines are."""

import math
import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import pytest

from dashboard_drawing import Series, Span, page, text

SPAN = Span(start=1_000_020.0, end=1_000_320.0, step=15)


def panel(kind: str = "timeseries", unit: str = "s", **defaults: Any) -> dict[str, Any]:
    place = {"x": 0, "y": 0, "w": 6, "h": 7}
    return {
        "id": 1,
        "title": "a <b>",
        "type": kind,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": unit, **defaults}},
    }


def drawn(found: Sequence[Series], shown: dict[str, Any]) -> ElementTree.Element:
    document = page("T <i>", "by & by", {1: found}, [shown], SPAN)
    return ElementTree.fromstring(document)  # noqa: S314 - our own


def words(picture: ElementTree.Element) -> list[str]:
    return [found for each in picture.iter() if each.tag != "style" and (found := (each.text or "").strip())]


def line(*values: float) -> Series:
    return Series(
        "a <line>", [(SPAN.start + SPAN.step * number, value) for number, value in enumerate(values)]
    )


def corners(picture: ElementTree.Element) -> list[list[tuple[float, float]]]:
    """Of each line the points of its path, without what makes a dot of the first."""
    paths = [each.attrib["d"] for each in picture.iter("path") if each.get("class") == "line"]
    return [[(float(x), float(y)) for x, y in re.findall(r"[ML](\S+) ([\d.]+)", path)] for path in paths]


@pytest.mark.parametrize("kind", ["timeseries", "stat"])
@pytest.mark.parametrize("found", [[], [Series("a", [])], [Series("a", [(SPAN.end, math.nan)])]])
def test_a_panel_without_values_says_so_and_has_no_zero(kind: str, found: list[Series]) -> None:
    picture = drawn(found, panel(kind))
    assert words(picture)[-1] == "no data"
    assert not corners(picture)
    assert not any(re.search(r"\b0\b", word) for word in words(picture)[3:])


def test_names_are_text() -> None:
    steps = [{"color": "green", "value": None}]
    field = drawn([Series("a <field>", [(SPAN.end, 1.0)])], panel("stat", thresholds={"steps": steps}))
    assert {"T <i>", "a <b>"} < {*words(field)}
    assert [each.tail for each in field.iter("b")] == ["a <field>"]
    assert "a <line>" in words(drawn([line(1.0)], panel()))


@pytest.mark.parametrize("unit", ["s", "none", "cps", "bytes"])
@pytest.mark.parametrize(
    "values",
    [
        (0.0, 0.0),
        (0.0003, 0.0009),
        (1.0, 1.0),
        (-3.0, 7.0),
        (0.0, 0.4, 12_345.0),
        (6.1e9, 1.8e11),
        (math.inf, 3.0),
    ],
)
@pytest.mark.parametrize("logarithmic", [False, True])
def test_every_point_lies_within_the_panel_between_the_first_and_the_last_label(
    values: tuple[float, ...], unit: str, logarithmic: bool
) -> None:
    shown = panel(unit=unit, custom={}) if logarithmic else panel(unit=unit)
    picture = drawn([line(*values)], shown)
    [svg] = picture.iter("svg")
    [points] = corners(picture)
    assert len(points) == sum(math.isfinite(each) and (each > 0 or not logarithmic) for each in values)
    labels = [each for each in svg.iter("text") if each.get("class") == "axis"]
    assert 2 <= len(labels) <= 9
    assert len({each.text for each in labels}) == len(labels)
    bottom, top = (float(labels[end].attrib["y"]) - 4 for end in (0, -1))
    for x, y in points:
        assert 0 < float(labels[0].attrib["x"]) < x < float(svg.attrib["width"])
        assert 0 < top <= y <= bottom < float(svg.attrib["height"])


def test_a_line_is_broken_where_there_are_no_values() -> None:
    [path] = [
        each.attrib["d"]
        for each in drawn([line(1.0, 2.0, math.nan, 3.0, 4.0)], panel()).iter("path")
        if each.get("class") == "line"
    ]
    assert re.findall("[ML]", path) == ["M", "L", "M", "L"]


@pytest.mark.parametrize(
    ("value", "color"), [(0.0, "green"), (9.9, "green"), (10.0, "orange"), (31.0, "red")]
)
def test_a_field_has_the_color_of_the_highest_limit_that_is_reached(value: float, color: str) -> None:
    steps = [
        {"color": each, "value": limit} for each, limit in (("green", None), ("orange", 10), ("red", 30))
    ]
    picture = drawn([Series("page", [(SPAN.end, value)])], panel("stat", thresholds={"steps": steps}))
    assert [each.get("class") for each in picture.iter("div")] == ["fields", f"field {color}"]


def test_a_field_says_the_word_for_its_value() -> None:
    steps = [{"color": "red", "value": None}]
    mappings = [{"type": "value", "options": {"0": {"text": "down"}}}]
    shown = panel("stat", thresholds={"steps": steps}, mappings=mappings)
    assert [each.text for each in drawn([line(0.0)], shown).iter("b")] == ["down"]


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.0, "s", "0 s"), (0.25, "s", "250 ms"), (145.4, "s", "145 s"), (12.34, "cps", "12.3 c/s"),
        (0.0, "bytes", "0 B"), (1536.0, "bytes", "1.5 KiB"), (2.0**38, "bytes", "256 GiB"),
        (2.0, "none", "2"), (12_345.0, "none", "12,345"),
    ],
)  # fmt: skip
def test_a_value_has_its_unit(value: float, unit: str, expected: str) -> None:
    assert text(value, unit) == expected
