"""Connects to the stream again and again: how long to wait, when to give up, what to say meanwhile."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NoReturn, Protocol

import aiohttp
import structlog

from wiki_producer.counts import Counts
from wiki_producer.event_stream import StreamEnded, StreamRefused

BACKOFF_BASE_SECONDS = 0.2
BACKOFF_CAP_SECONDS = 30.0
# A server that asks for longer is asked again after this.
LONGEST_RETRY_AFTER_SECONDS = 900.0
LOG_EVERY_SECONDS = 60.0
# Asking again does not help: a wrong request, URL or User-Agent.
FATAL_STATUSES = frozenset({400, 401, 403, 404})

log = structlog.get_logger(__name__)


class StreamFatal(Exception):
    """The stream refuses for good; the text is the server's."""


@dataclass(frozen=True)
class Lost:
    """Why a connection ended: `cause` is a word to count by, `retry_after` the server's wish in seconds."""

    cause: str
    reason: str
    retry_after: float | None = None


def backoff_seconds(
    attempt: int, retry_after: float | None, uniform: Callable[[float, float], float]
) -> float:
    """How long to wait after failure `attempt` (from 0): `retry_after` and jitter below a growing bound."""
    bound = min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2 ** min(attempt, 30))
    return min(retry_after or 0.0, LONGEST_RETRY_AFTER_SECONDS) + uniform(0, bound)


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks for, as a number or a date; None for no readable one."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())


def explain(error: Exception) -> Lost:
    """What a failed connection's error means. StreamFatal when it is of no use to try again."""
    if isinstance(error, StreamRefused):
        if error.status in FATAL_STATUSES:
            raise StreamFatal(f"the stream refuses: {error}") from None
        return Lost(
            f"http_{error.status}", str(error), retry_after_seconds(error.retry_after, datetime.now(UTC))
        )
    if isinstance(error, StreamEnded):
        return Lost("ended", str(error))
    if isinstance(error, TimeoutError):
        return Lost("timeout", f"nothing came in time: {error or type(error).__name__}")
    if isinstance(error, aiohttp.ClientConnectorError):
        return Lost("unreachable", str(error))
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        raise StreamFatal(f"WIKI_STREAM_URL: {error}") from None
    return Lost("reset", str(error) or type(error).__name__)


class Outage:
    """Says that the stream is lost, at once and then once a minute while it is, and when it is back.

    A stream that comes and goes is said to be lost once a minute too.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._since: float | None = None
        self._said_at: float | None = None
        self._said = False
        self._tries = 0
        self.reason: str | None = None

    def lost(self, lost: Lost) -> None:
        """A connection ended or could not be made."""
        now = self._clock()
        self._tries += 1
        self.reason = lost.reason
        if self._since is None:
            self._since = now
        if self._said_at is not None and now - self._said_at < LOG_EVERY_SECONDS:
            return
        self._said_at, self._said = now, True
        log.warning(
            "stream lost, trying again",
            url=self._url,
            cause=lost.cause,
            reason=lost.reason,
            tries=self._tries,
            seconds=round(now - self._since),
        )

    def over(self) -> None:
        """Events come (again)."""
        if self._said and self._since is not None:
            log.info("stream back", seconds=round(self._clock() - self._since, 1), tries=self._tries)
        self._since = self.reason = None
        self._said = False
        self._tries = 0


class Read(Protocol):
    async def __call__(self, *, read_any: bool) -> None:
        """Connect and read until an error; `read_any` says whether the last connection brought events."""


async def keep_connected(
    read: Read,
    counts: Counts,
    outage: Outage,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    uniform: Callable[[float, float], float] = random.uniform,
) -> NoReturn:
    """Call `read` for ever, with pauses. StreamFatal when that is of no use."""
    attempt = 0
    read_any = False
    while True:
        read_before = counts.read
        try:
            await read(read_any=read_any)
        except (StreamEnded, StreamRefused, aiohttp.ClientError, OSError, TimeoutError) as error:
            lost = explain(error)
        else:
            lost = Lost("ended", "no more events")
        counts.reconnects[lost.cause] += 1
        read_any = counts.read > read_before
        if read_any:
            attempt = 0
        outage.lost(lost)
        await sleep(backoff_seconds(attempt, lost.retry_after, uniform))
        attempt += 1
