"""The picture: an SVG that any program can read."""

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from benchmarks.freshness.moments import STAGES, Passage
from benchmarks.freshness.plot import Row, svg

SVG = "{http://www.w3.org/2000/svg}"
QUICK = Passage((0.0, 0.1, 0.3, 0.4, 0.5))
SLOW = Passage((0.0, 0.2, 0.6, 0.8, 1.0))


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314 - our own


def bars(picture: ElementTree.Element) -> list[tuple[float, float]]:
    """Left and width of each stage's rectangle, without the legend."""
    found = [rect for rect in picture.iter(f"{SVG}rect") if rect.get("class", "").startswith("stage")]
    return [(float(rect.attrib["x"]), float(rect.attrib["width"])) for rect in found[len(STAGES) :]]


def test_stages_follow_one_another_and_are_as_long_as_they_took() -> None:
    found = bars(parsed(svg([Row("quick", [QUICK]), Row("slow", [SLOW])])))
    quick, slow = found[: len(STAGES)], found[len(STAGES) :]
    for stages in (quick, slow):
        for (left, width), (next_left, _) in pairwise(stages):
            assert next_left == pytest.approx(left + width, abs=0.2)
    assert [width for _, width in slow] == pytest.approx([2 * width for _, width in quick], abs=0.3)


def test_names_are_text() -> None:
    picture = parsed(svg([Row("a <b> & c", [QUICK])]))
    assert "a <b> & c" in [text.text for text in picture.iter(f"{SVG}text")]


@pytest.mark.parametrize("seconds", [0.003, 0.6, 0.999, 1.0, 4.7, 59.0])
def test_everything_lies_within_the_picture_and_has_a_scale(seconds: float) -> None:
    passage = Passage((0.0, seconds / 4, seconds / 2, seconds * 3 / 4, seconds))
    picture = parsed(svg([Row("run", [passage])]))
    width = float(picture.attrib["viewBox"].split()[2])
    assert all(0 < left <= left + length < width for left, length in bars(picture))
    labels = [str(text.text) for text in picture.iter(f"{SVG}text") if str(text.text).endswith(" s")]
    assert 2 <= len(labels) <= 10
    assert float(labels[-1].removesuffix(" s")) >= seconds - 1e-9
