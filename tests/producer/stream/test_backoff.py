from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiki_producer.stream.backoff import (
    CAP_SECONDS,
    CAP_WITH_EVENTS_SECONDS,
    LONGEST_RETRY_AFTER_SECONDS,
    Backoff,
    retry_after_seconds,
)

NOW = datetime(2026, 11, 23, 23, tzinfo=UTC)


def highest(_low: float, high: float) -> float:
    return high


def lowest(low: float, _high: float) -> float:
    return low


def pauses(number: int, *, lasted: float, events: bool, retry_after: float | None = None) -> list[float]:
    """The longest pauses after so many connections of the same kind."""
    backoff = Backoff(highest)
    return [
        backoff.pause_seconds(lasted_seconds=lasted, brought_events=events, retry_after=retry_after)
        for _ in range(number)
    ]


def test_pauses_double_up_to_a_cap_while_no_connection_brings_events() -> None:
    found = pauses(2000, lasted=0, events=False)
    assert found[:4] == [0.2, 0.4, 0.8, 1.6]
    assert found[12] == found[-1] == CAP_SECONDS


def test_pauses_grow_too_while_each_connection_ends_after_a_few_events() -> None:
    found = pauses(20, lasted=0.1, events=True)
    assert found[:4] == [0.2, 0.4, 0.8, 1.6]
    assert found[-1] == CAP_WITH_EVENTS_SECONDS


def test_a_failure_between_short_connections_does_not_make_reading_fall_far_behind() -> None:
    backoff = Backoff(highest)
    found = [
        backoff.pause_seconds(lasted_seconds=0.1, brought_events=number % 2 == 0, retry_after=None)
        for number in range(40)
    ]
    assert found[-2:] == [CAP_WITH_EVENTS_SECONDS, 0.4]


def test_pauses_are_short_after_connections_that_lasted() -> None:
    assert pauses(5, lasted=900, events=True) == [0.2] * 5


def test_a_connection_that_lasted_in_silence_counts_as_a_failure() -> None:
    assert pauses(3, lasted=60, events=False) == [0.2, 0.4, 0.8]


@given(st.integers(1, 50), st.booleans(), st.none() | st.floats(0, 10**9))
def test_a_pause_is_never_shorter_than_the_server_asks_nor_endless(
    attempts: int, events: bool, retry_after: float | None
) -> None:
    asked = min(retry_after or 0, LONGEST_RETRY_AFTER_SECONDS)
    backoff = Backoff(lowest)
    shortest = backoff.pause_seconds(lasted_seconds=0, brought_events=events, retry_after=retry_after)
    assert shortest == asked
    assert pauses(attempts, lasted=0, events=events, retry_after=retry_after)[-1] <= asked + CAP_SECONDS


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("0", 0),
        ("120", 120),
        ("9" * 400, float("inf")),
        (format_datetime(NOW + timedelta(seconds=90)), 90),
        (format_datetime(NOW - timedelta(seconds=90)), 0),
        ("Mon, 23 Nov 2026 23:01:30 +99999999999999", None),
        ("Mon, 23 Nov 99999 23:01:30 GMT", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


@given(st.text())
def test_any_retry_after_is_read_or_ignored(header: str) -> None:
    found = retry_after_seconds(header, NOW)
    assert found is None or found >= 0
