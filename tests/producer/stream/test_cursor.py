import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.events import sse_id
from wiki_producer.stream.cursor import Cursor, rewind_for
from wiki_producer.stream.position import (
    REWIND_MS,
    SHORTEST_REWIND_MS,
    After,
    Live,
    ResumePoint,
    Since,
    parse_position,
)

NOW = 1_795_474_801_000
AGE = 30 * 60_000


def cursor(first: ResumePoint, now: int = NOW) -> Cursor:
    return Cursor(lambda _now: first, max_age_ms=AGE, now_ms=lambda: now)


def at(point: ResumePoint) -> int:
    assert isinstance(point, After), point
    return point.position.timestamp


def test_the_first_connection_begins_where_the_topic_says() -> None:
    first = After(parse_position(sse_id(NOW - 5000)))
    assert cursor(first).next("", read_any=False, position_refused=False) == first


class Clock:
    """The stream's time, and the seconds that have passed since the cursor was made."""

    def __init__(self) -> None:
        self.now_ms = NOW
        self.seconds = 0.0

    def passes(self, seconds: int) -> None:
        self.now_ms += seconds * 1000
        self.seconds += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_live_start_that_failed_is_resumed_at_its_beginning(clock: Clock) -> None:
    starting = Cursor(
        lambda _now: Live(), max_age_ms=AGE, now_ms=lambda: clock.now_ms, monotonic=lambda: clock.seconds
    )
    found = []
    for _ in range(3):
        found.append(starting.next("", read_any=False, position_refused=False))
        clock.passes(10)
    assert found == [Live(), Since(NOW), Since(NOW)]


def test_a_first_point_is_corrected_when_the_streams_time_is_known(clock: Clock) -> None:
    starting = Cursor(
        lambda now: Since(now - AGE),
        max_age_ms=AGE,
        now_ms=lambda: clock.now_ms,
        monotonic=lambda: clock.seconds,
    )
    assert starting.next("", read_any=False, position_refused=False) == Since(NOW - AGE)
    clock.passes(30)
    assert starting.corrected("") is None, "time passes while the answer is awaited"
    clock.now_ms -= 20_000
    assert starting.corrected("") == Since(NOW + 10_000 - AGE)
    assert starting.corrected("") is None


def test_the_beginning_of_a_live_start_is_by_the_streams_time_too(clock: Clock) -> None:
    starting = Cursor(
        lambda _now: Live(), max_age_ms=AGE, now_ms=lambda: clock.now_ms, monotonic=lambda: clock.seconds
    )
    starting.next("", read_any=False, position_refused=False)
    clock.now_ms += 600_000
    assert starting.corrected("") is None, "now is now"
    clock.now_ms -= 600_000
    clock.passes(10)
    assert starting.next("", read_any=False, position_refused=False) == Since(NOW)
    clock.now_ms += 600_000
    assert starting.corrected("") == Since(NOW + 600_000)


def test_a_reconnect_goes_back_by_the_full_rewind_after_a_long_connection() -> None:
    reading = cursor(After(parse_position(sse_id(NOW - 900_000))))
    reading.next("", read_any=False, position_refused=False)
    assert at(reading.next(sse_id(NOW), read_any=True, position_refused=False)) == NOW - REWIND_MS


def test_a_connection_that_brought_nothing_does_not_change_the_rewind() -> None:
    reading = cursor(After(parse_position(sse_id(NOW - 900_000))))
    reading.next("", read_any=False, position_refused=False)
    points = [
        at(reading.next(sse_id(NOW), read_any=read_any, position_refused=False))
        for read_any in (True, False, False)
    ]
    assert points == [NOW - REWIND_MS] * 3


def test_a_server_that_always_cuts_early_is_read_to_the_end_nevertheless() -> None:
    """Every connection brings 1 s of the stream, less than the full rewind."""
    reading = cursor(After(parse_position(sse_id(NOW - 60_000))))
    begin = at(reading.next("", read_any=False, position_refused=False))
    for _ in range(130):
        begin = at(reading.next(sse_id(begin + 1000), read_any=True, position_refused=False))
    assert begin >= NOW


@given(st.integers(-10, 10**8))
def test_the_rewind_is_between_its_limits_and_leaves_progress(covered: int) -> None:
    rewind = rewind_for(covered)
    assert SHORTEST_REWIND_MS <= rewind <= REWIND_MS
    assert rewind < covered or covered <= 2 * SHORTEST_REWIND_MS


def test_an_id_that_cannot_be_read_resumes_at_the_age_limit() -> None:
    assert cursor(Live()).next("rubbish", read_any=True, position_refused=False) == Since(NOW - AGE)


def test_a_refused_position_is_replaced_by_the_oldest_time_in_it_until_there_is_another() -> None:
    entries = [
        {"topic": "eqiad", "partition": 0, "timestamp": NOW},
        {"topic": "codfw", "partition": 0, "timestamp": NOW - 60_000},
    ]
    reading = cursor(Live())
    refused = json.dumps(entries)
    assert at(reading.next(refused, read_any=True, position_refused=False)) < NOW
    by_time = reading.next(refused, read_any=False, position_refused=True)
    assert isinstance(by_time, Since)
    assert NOW - 60_000 - REWIND_MS <= by_time.timestamp_ms < NOW - 60_000
    assert reading.next(refused, read_any=False, position_refused=False) == by_time
    assert at(reading.next(sse_id(NOW + 5_000), read_any=True, position_refused=False)) > NOW


def test_the_time_in_place_of_a_refused_position_is_within_the_age_limit() -> None:
    entries = [
        {"topic": "eqiad", "partition": 0, "timestamp": NOW},
        {"topic": "codfw", "partition": 0, "timestamp": NOW - 10 * AGE},
    ]
    reading = cursor(After(parse_position(json.dumps(entries))))
    reading.next("", read_any=False, position_refused=False)
    assert reading.next("", read_any=False, position_refused=True) == Since(NOW - AGE, continues=True)
