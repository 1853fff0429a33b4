"""compose-test's comparison sees a change that is lost, doubled, or not yet there."""

import json
from collections import Counter
from collections.abc import Sequence

import pytest

from compose_stack.counts import Answer, behind, difference, kept_titles

STREAM = ["Ant", "Bee", "Ant", "Cat", "Bee", "Ant", "Dog"]


def _answer(titles: Sequence[str]) -> Answer:
    counted = Counter(titles)
    return Answer(len(titles), len(counted), dict(counted))


@pytest.mark.parametrize("shown", range(len(STREAM) + 1))
def test_any_first_part_of_the_stream_is_right(shown: int) -> None:
    assert difference(_answer(STREAM[:shown]), STREAM) is None


@pytest.mark.parametrize(
    "shown",
    [
        ["Ant", "Ant", "Cat"],
        ["Ant", "Bee", "Bee", "Ant"],
        ["Bee", "Ant", "Cat", "Bee", "Ant", "Dog"],
        [*STREAM, "Dog"],
    ],
    ids=["one lost", "one doubled", "the first lost", "one too many"],
)
def test_a_lost_or_doubled_change_is_told(shown: list[str]) -> None:
    assert difference(_answer(shown), STREAM) is not None


def test_a_page_that_is_right_but_behind_is_not_there_yet() -> None:
    ledger = "".join(_line(index, title) for index, title in enumerate(STREAM))

    assert behind(lambda: _answer(STREAM[:3]), lambda: ledger, 5) is not None
    assert behind(lambda: _answer(STREAM[:5]), lambda: ledger, 5) is None


def test_only_changes_of_the_domain_count_and_each_once() -> None:
    lines = [
        _line(2, "Bee"),
        _line(1, "Ant"),
        _line(2, "Bee"),
        _line(3, "Biene", domain="de.wikipedia.org"),
        _line(4, None, domain="canary", kind="canary"),
        _line(5, "Cat", kind="malformed"),
    ]

    assert kept_titles("".join(lines)) == ["Ant", "Bee"]


def test_titles_are_compared_as_the_page_spells_them() -> None:
    assert kept_titles(_line(1, "\u202eeltit desrever")) == ["eltit desrever"]


def _line(index: int, title: str | None, *, domain: str = "en.wikipedia.org", kind: str = "change") -> str:
    return json.dumps({"index": index, "title": title, "domain": domain, "kind": kind}) + "\n"
