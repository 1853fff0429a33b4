from collections.abc import Callable

import aiohttp
import pytest

from wiki_producer.status.counts import Counts
from wiki_producer.stream.backoff import Backoff
from wiki_producer.stream.connection import StreamRefused
from wiki_producer.stream.lines import StreamEnded
from wiki_producer.stream.outage import Outage
from wiki_producer.stream.progress import Progress
from wiki_producer.stream.reconnect import PATIENCE_SECONDS, StreamFatal, classify, keep_connected


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_wrong_request_is_refused(status: int) -> None:
    disconnect = classify(StreamRefused(status, "set a User-Agent", None))
    assert (disconnect.refused, disconnect.position_refused) == (True, False)
    assert disconnect.reason == f"HTTP {status}: set a User-Agent"


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_position_may_be_refused(status: int) -> None:
    disconnect = classify(StreamRefused(status, "gone", None, with_position=True))
    assert (disconnect.refused, disconnect.position_refused) == (False, True)


@pytest.mark.parametrize("status", [401, 403])
def test_a_login_is_refused_whatever_the_position(status: int) -> None:
    disconnect = classify(StreamRefused(status, "who?", None, with_position=True))
    assert (disconnect.refused, disconnect.position_refused) == (True, False)


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


class Connections:
    """Connections that end in given ways, and the time that passes in them and between them."""

    def __init__(self) -> None:
        self.now = 0.0
        self.progress = Progress()
        self.counts = Counts()
        self.asked: list[tuple[bool, bool]] = []
        """Of each: whether the connection before brought events, and whether its position was refused."""
        self.pauses: list[float] = []

    async def keep(self, end: Callable[[], tuple[Exception, int, float]]) -> None:
        """`end` tells of each connection its error, how many events it brought and how long it lasted."""

        async def read(*, read_any: bool, position_refused: bool) -> None:
            self.asked.append((read_any, position_refused))
            error, brought, seconds = end()
            self.progress.events += brought
            self.now += seconds
            raise error

        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)
            self.now += seconds

        await keep_connected(
            read,
            self.progress,
            self.counts,
            Outage("http://stream"),
            backoff=Backoff(lambda _low, high: high),
            sleep=sleep,
            clock=lambda: self.now,
        )


async def test_pauses_grow_until_a_connection_lasts_and_grant_the_servers_wish() -> None:
    steps: list[tuple[Exception, int, float]] = [
        (StreamRefused(503, "", None), 0, 0),
        (StreamRefused(429, "", "7"), 0, 0),
        (StreamEnded("end"), 5, 900),
        (ConnectionResetError("peer"), 0, 0),
        (StreamEnded("end"), 5, 0.1),
        (RuntimeError("the test ends"), 0, 0),
    ]
    connections = Connections()
    with pytest.raises(RuntimeError, match="the test ends"):
        await connections.keep(lambda: steps.pop(0))
    assert connections.pauses == [0.2, 7.4, 0.2, 0.4, 0.4]
    assert [read_any for read_any, _ in connections.asked] == [False, False, False, True, False, True]
    assert connections.counts.reconnects == {"http_503": 1, "http_429": 1, "ended": 2, "reset": 1}


async def test_a_refusal_of_what_worked_ends_after_a_while_with_the_servers_words() -> None:
    """And not before, however often it is asked; the pauses in between are those of an outage."""
    connections = Connections()
    ends = iter([(StreamEnded("end"), 5, 900.0)])

    def end() -> tuple[Exception, int, float]:
        return next(ends, (StreamRefused(404, "gone", None), 0, 0.0))

    with pytest.raises(StreamFatal, match="the stream refuses: HTTP 404: gone"):
        await connections.keep(end)
    assert PATIENCE_SECONDS <= connections.now - 900 < PATIENCE_SECONDS + 60
    assert 30 < len(connections.pauses) < 60


async def test_patience_begins_anew_when_something_else_happens() -> None:
    connections = Connections()
    connections.progress.events = 1

    def end() -> tuple[Exception, int, float]:
        if connections.now > 3 * PATIENCE_SECONDS:
            raise RuntimeError("the test ends")
        refused = len(connections.asked) % 20
        return (StreamRefused(404, "gone", None) if refused else ConnectionResetError("peer")), 0, 0

    with pytest.raises(RuntimeError, match="the test ends"):
        await connections.keep(end)


async def test_a_refused_position_is_told_to_the_next_connection() -> None:
    steps: list[tuple[Exception, int, float]] = [
        (StreamRefused(404, "gone", None, with_position=True), 0, 0),
        (StreamEnded("end"), 1, 0),
        (RuntimeError("the test ends"), 0, 0),
    ]
    connections = Connections()
    with pytest.raises(RuntimeError, match="the test ends"):
        await connections.keep(lambda: steps.pop(0))
    assert connections.asked == [(False, False), (False, True), (True, False)]
