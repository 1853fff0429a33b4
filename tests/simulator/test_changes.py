"""What events are about: the live stream's proportions, and always the same."""

from collections import Counter

import pytest

from stream_simulator.catalogue import Catalogue
from stream_simulator.changes import Change, Changes
from stream_simulator.timeline import Timeline

START = 1_790_000_000_000
COUNT = 20_000


@pytest.fixture(scope="module")
def changes(catalogue: Catalogue) -> list[Change]:
    made = Changes(catalogue, Timeline(START, rate=33))
    return [made.change(index) for index in range(COUNT)]


def test_types_have_the_live_proportions(changes: list[Change]) -> None:
    types = Counter(change.type for change in changes)
    share = {type_: number / COUNT for type_, number in types.items()}
    assert share == pytest.approx({"categorize": 0.5, "edit": 0.41, "log": 0.08, "new": 0.02}, abs=0.015)


def test_wikis_have_the_live_proportions(changes: list[Change]) -> None:
    english = [change for change in changes if change.wiki.domain == "en.wikipedia.org"]
    assert len(english) / COUNT == pytest.approx(0.12, abs=0.01)
    assert len({change.wiki for change in changes}) > 25


def test_a_third_is_by_bots(changes: list[Change]) -> None:
    assert sum(change.bot for change in changes) / COUNT == pytest.approx(1 / 3, abs=0.015)


def test_some_users_are_redacted(changes: list[Change]) -> None:
    assert 0.002 < sum(change.user is None for change in changes) / COUNT < 0.01


def test_timestamp_lags_as_live(changes: list[Change]) -> None:
    lags = sorted(change.time - change.timestamp * 1000 for change in changes)
    assert lags[0] >= 0
    assert lags[COUNT // 2] == pytest.approx(1600, abs=150)
    assert lags[COUNT * 99 // 100] == pytest.approx(7000, abs=1000)
    assert 15_000 < lags[-1] <= 20_500


def test_ids_are_unique(changes: list[Change]) -> None:
    assert len({change.id for change in changes}) == COUNT


def test_a_change_does_not_depend_on_what_was_asked_before(
    catalogue: Catalogue, changes: list[Change]
) -> None:
    assert Changes(catalogue, Timeline(START, rate=33)).change(12_345) == changes[12_345]
