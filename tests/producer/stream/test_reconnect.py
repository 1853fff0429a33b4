from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from wiki_producer.status.counts import Counts
from wiki_producer.stream.connection import StreamEnded, StreamRefused
from wiki_producer.stream.progress import Progress
from wiki_producer.stream.reconnect import (
    BACKOFF_CAP_SECONDS,
    LONGEST_RETRY_AFTER_SECONDS,
    Disconnect,
    Outage,
    StreamFatal,
    backoff_seconds,
    classify,
    keep_connected,
    retry_after_seconds,
)

NOW = datetime(2026, 11, 23, 23, tzinfo=UTC)


def highest(_low: float, high: float) -> float:
    return high


def test_the_bound_of_the_pause_doubles_up_to_a_cap() -> None:
    pauses = [backoff_seconds(attempt, None, highest) for attempt in range(12)]
    assert pauses[:4] == [0.2, 0.4, 0.8, 1.6]
    assert pauses[-1] == backoff_seconds(10**6, None, highest) == BACKOFF_CAP_SECONDS


@given(st.integers(0, 10**4), st.none() | st.floats(0, 10**9))
def test_a_pause_is_never_shorter_than_the_server_asks_nor_endless(
    attempt: int, retry_after: float | None
) -> None:
    shortest = backoff_seconds(attempt, retry_after, lambda low, _high: low)
    assert shortest == min(retry_after or 0, LONGEST_RETRY_AFTER_SECONDS)
    assert backoff_seconds(attempt, retry_after, highest) <= shortest + BACKOFF_CAP_SECONDS


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("0", 0),
        ("120", 120),
        (format_datetime(NOW + timedelta(seconds=90)), 90),
        (format_datetime(NOW - timedelta(seconds=90)), 0),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_for_good_ends_with_the_servers_words(status: int) -> None:
    with pytest.raises(StreamFatal, match=f"HTTP {status}: set a User-Agent"):
        classify(StreamRefused(status, "set a User-Agent", None))


@pytest.mark.parametrize(
    ("error", "cause", "retry_after"),
    [
        (StreamRefused(429, "slowly", "3"), "http_429", 3),
        (StreamRefused(503, "", None), "http_503", None),
        (StreamRefused(410, "", None), "http_410", None),
        (StreamEnded("end"), "ended", None),
        (aiohttp.SocketTimeoutError("idle"), "timeout", None),
        (ConnectionResetError("peer"), "reset", None),
        (aiohttp.ClientPayloadError("half"), "reset", None),
    ],
)
def test_a_transient_error_has_a_cause_to_count_by(
    error: Exception, cause: str, retry_after: float | None
) -> None:
    disconnect = classify(error)
    assert (disconnect.cause, disconnect.retry_after) == (cause, retry_after)
    assert disconnect.reason


def test_a_loss_is_said_at_once_then_once_a_minute_and_its_end_too() -> None:
    now = [0.0]
    outage = Outage("http://stream", clock=lambda: now[0])
    with structlog.testing.capture_logs() as said:
        for second in range(0, 130, 10):
            now[0] = second
            outage.disconnected(Disconnect("unreachable", "no route"))
        assert outage.reason == "no route"
        outage.over()
    assert [each["event"] for each in said] == ["stream lost, trying again"] * 3 + ["stream back"]
    assert [each["seconds"] for each in said] == [0, 60, 120, 120]
    assert outage.reason is None


def test_a_stream_that_comes_and_goes_is_said_once_a_minute() -> None:
    now = [0.0]
    outage = Outage("http://stream", clock=lambda: now[0])
    with structlog.testing.capture_logs() as said:
        for second in range(100):
            now[0] = second
            outage.disconnected(Disconnect("ended", "end"))
            outage.over()
    assert [each["event"] for each in said] == ["stream lost, trying again", "stream back"] * 2


async def test_pauses_grow_until_events_come_again_and_grant_the_servers_wish() -> None:
    """The steps: an error and how many events the connection brought before it."""
    progress, counts = Progress(), Counts()
    steps: list[tuple[Exception, int]] = [
        (StreamRefused(503, "", None), 0),
        (StreamRefused(429, "", "7"), 0),
        (StreamEnded("end"), 5),
        (ConnectionResetError("peer"), 0),
        (StreamRefused(404, "gone", None), 0),
    ]
    read_any_seen: list[bool] = []
    pauses: list[float] = []

    async def read(*, read_any: bool) -> None:
        read_any_seen.append(read_any)
        error, brought = steps.pop(0)
        progress.events += brought
        raise error

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    with pytest.raises(StreamFatal, match="gone"):
        await keep_connected(read, progress, counts, Outage("http://stream"), sleep=sleep, uniform=highest)
    assert pauses == [0.2, 7.4, 0.2, 0.4]
    assert read_any_seen == [False, False, False, True, False]
    assert counts.reconnects == {"http_503": 1, "http_429": 1, "ended": 1, "reset": 1}
