"""Matching totals to events, and percentiles."""

from statistics import StatisticsError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.freshness.moments import (
    Arrival,
    Incomplete,
    Percentiles,
    Sighting,
    Watched,
    first_reaching,
    passages,
    percentiles,
)


def watched(**changed: object) -> Watched:
    """Three events, a second apart, each at each place a tenth of a second after the place before."""
    fields: dict[str, object] = {
        "handed_out": {"a": 1.0, "b": 2.0, "c": 3.0},
        "topic": [Arrival("a", 1.1), Arrival("b", 2.1), Arrival("c", 3.1)],
        "committed": {"a": 1.2, "b": 2.2, "c": 3.2},
        "answers": [Sighting(1.3, 1), Sighting(2.3, 2), Sighting(3.3, 3)],
        "pages": [Sighting(1.4, 1), Sighting(2.4, 2), Sighting(3.4, 3)],
    }
    return Watched(**(fields | changed))  # type: ignore[arg-type]


def test_each_event_has_its_stages_and_they_add_up() -> None:
    found = passages(watched(), 0, 10)
    assert [passage.moments[0] for passage in found] == [1, 2, 3]
    for passage in found:
        assert passage.stages == pytest.approx([0.1] * 4)
        assert passage.seconds == pytest.approx(sum(passage.stages))


def test_only_what_was_handed_out_while_it_was_measured_is_measured_and_all_count() -> None:
    assert [passage.moments[0] for passage in passages(watched(), 2, 3)] == [2]


def test_an_event_is_shown_with_the_first_total_that_has_reached_its_number() -> None:
    seen = watched(pages=[Sighting(0.5, 0), Sighting(2.9, 2), Sighting(3.6, 3), Sighting(4.0, 3)])
    assert [passage.moments[-1] for passage in passages(seen, 0, 10)] == [2.9, 2.9, 3.6]


@given(st.lists(st.integers(0, 30)), st.integers(0, 30))
def test_the_first_total_that_is_high_enough_is_found(totals: list[int], count: int) -> None:
    """Also where totals fall, as none of ours does: what has once been shown has been shown."""
    sightings = [Sighting(moment, total) for moment, total in enumerate(totals)]
    expected = [
        next((moment for moment, total in sightings if total >= number), None)
        for number in range(1, count + 1)
    ]
    assert list(first_reaching(sightings, count)) == expected


def test_a_watcher_who_looks_late_makes_no_stage_late() -> None:
    """The page has shown it: so it was answered, committed and in the topic by then."""
    late = watched(
        topic=[Arrival("a", 1.9), Arrival("b", 2.1), Arrival("c", 3.1)],
        answers=[Sighting(1.45, 1), Sighting(2.3, 2), Sighting(3.3, 3)],
    )
    assert passages(late, 0, 2)[0].moments == (1.0, 1.2, 1.2, 1.4, 1.4)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"committed": {"a": 1.2, "c": 3.2}}, "event 2"),
        ({"committed": {"b": 2.2, "c": 3.2}}, "first event without a commit: 1"),
        ({"answers": [Sighting(1.3, 1)]}, "answered None"),
        ({"pages": [Sighting(1.4, 1)]}, "shown None"),
        ({"topic": []}, "no event"),
    ],
)
def test_without_an_event_there_are_no_figures(changed: dict[str, object], named: str) -> None:
    """Also without one from before the measured time: the numbers of those after it would be wrong."""
    with pytest.raises(Incomplete, match=named):
        passages(watched(**changed), 2, 3)


def test_what_comes_after_the_measured_time_may_be_missing() -> None:
    assert len(passages(watched(committed={"a": 1.2}, pages=[Sighting(1.4, 1)]), 0, 2)) == 1


def test_percentiles() -> None:
    assert percentiles(list(range(101))) == Percentiles(50, 95, 99)
    assert percentiles([0.5]) == Percentiles(0.5, 0.5, 0.5)
    with pytest.raises(StatisticsError):
        percentiles([])
