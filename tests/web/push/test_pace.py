"""How fast viewers are told: a few at once, many over the period, and none faster than is answered."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from wiki_web.push.pace import InFlight, Pace

PERIOD = 2.0
SPREAD = 1.2  # seconds: all but what pauses may take of it
STEP = 0.001


def told_at(viewers: int, busy: bool = False) -> list[float]:
    """When each of so many viewers is told of one event, in seconds after it."""
    pace, now = Pace(PERIOD, lambda: busy), 1000.0
    found: list[float] = []
    while len(found) < viewers:
        while len(found) < viewers and pace.allows(now, viewers):
            found.append(now - 1000.0)
        now += STEP
    return found


def test_a_few_are_told_at_once() -> None:
    assert told_at(5)[-1] == 0
    assert told_at(20)[-1] < 0.1


@pytest.mark.parametrize("viewers", [500, 1000, 4000])
def test_many_are_spread_evenly_over_the_period(viewers: int) -> None:
    moments = told_at(viewers)
    assert 0.9 * SPREAD < moments[-1] <= SPREAD
    in_first_half = sum(moment < SPREAD / 2 for moment in moments)
    assert abs(in_first_half - viewers / 2) < 0.05 * viewers


def test_a_busy_server_tells_even_a_few_no_faster_than_they_would_poll() -> None:
    assert 0.9 * SPREAD < told_at(100, busy=True)[-1] <= SPREAD


@pytest.mark.parametrize("viewers", [1, 100, 1000])
def test_events_in_quick_succession_are_told_no_faster(viewers: int) -> None:
    """With an event every 10 ms, in ten seconds."""
    pace, now, told = Pace(PERIOD, lambda: False), 1000.0, 0
    for _ in range(1000):
        now += 0.01
        due = viewers
        while due and pace.allows(now, viewers):
            due, told = due - 1, told + 1
    assert told <= 10 * max(250, viewers / SPREAD) + 10


def test_a_server_is_busy_while_it_answers_several_requests() -> None:
    depth, seen = 0, []

    def nested(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Asks again while it answers."""
        nonlocal depth
        depth += 1
        seen.append(in_flight.is_busy())
        if depth == 4:
            raise StopIteration  # as a stream does
        return in_flight({}, start_response)

    in_flight = InFlight(nested)
    with pytest.raises(StopIteration):
        in_flight({}, lambda *_: lambda _: None)
    assert seen == [False, False, False, True]
    assert not in_flight.is_busy()
