"""The map between an event's index and its time."""

import pytest

from stream_simulator.timeline import Timeline


@pytest.mark.parametrize("rate", [1, 33, 1000, 20_000])
def test_first_at_is_the_first_event_not_before_a_time(rate: int) -> None:
    timeline = Timeline(start=1_000_000, rate=rate)
    times = [timeline.time(index) for index in range(1000)]
    assert times == sorted(times)
    for time in range(times[0] - 2, times[-1], max(1, (times[-1] - times[0]) // 500)):
        assert timeline.first_at(time) == next(index for index, other in enumerate(times) if other >= time)


def test_every_eighth_event_shares_a_millisecond_even_at_a_low_rate() -> None:
    timeline = Timeline(start=0, rate=10)
    assert [timeline.time(index) for index in range(5, 10)] == [500, 600, 600, 800, 900]
    assert timeline.first_at(601) == 8


def test_a_finite_stream_has_no_event_past_its_last() -> None:
    timeline = Timeline(start=0, rate=10, events=5)
    assert timeline.first_at(10_000) == 5
    assert timeline.ended(5)
    assert not timeline.ended(4)
