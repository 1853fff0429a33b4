"""Connects to the stream again and again: how long to wait, when to give up, what to log meanwhile."""

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

from wiki_producer.status.counts import Counts
from wiki_producer.stream.connection import StreamEnded, StreamRefused
from wiki_producer.stream.progress import Progress

BACKOFF_BASE_SECONDS = 0.2
BACKOFF_CAP_SECONDS = 30.0
# The longest Retry-After that is followed.
LONGEST_RETRY_AFTER_SECONDS = 900.0
LOG_EVERY_SECONDS = 60.0
# Another request would be refused too: the request, URL or User-Agent is wrong.
FATAL_STATUSES = frozenset({400, 401, 403, 404})

log = structlog.get_logger(__name__)


class StreamFatal(Exception):
    """The stream refuses for good; the text is the server's."""


@dataclass(frozen=True)
class Disconnect:
    """Why a connection ended or failed: `cause` is a label to count by, `retry_after` is in seconds."""

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


def classify(error: Exception) -> Disconnect:
    """What an error of a connection means. StreamFatal when trying again is of no use."""
    if isinstance(error, StreamRefused):
        if error.status in FATAL_STATUSES:
            raise StreamFatal(f"the stream refuses: {error}") from None
        return Disconnect(
            f"http_{error.status}", str(error), retry_after_seconds(error.retry_after, datetime.now(UTC))
        )
    if isinstance(error, StreamEnded):
        return Disconnect("ended", str(error))
    if isinstance(error, TimeoutError):
        return Disconnect("timeout", f"nothing came in time: {error or type(error).__name__}")
    if isinstance(error, aiohttp.ClientConnectorError):
        return Disconnect("unreachable", str(error))
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        raise StreamFatal(f"WIKI_STREAM_URL: {error}") from None
    return Disconnect("reset", str(error) or type(error).__name__)


class Outage:
    """Logs an outage of the stream at once, then once a minute while it lasts, and its end.

    A stream that comes and goes is logged once a minute too.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._since: float | None = None
        self._logged_at: float | None = None
        self._logged = False
        self._tries = 0
        self.reason: str | None = None

    def disconnected(self, disconnect: Disconnect) -> None:
        """A connection ended or could not be made."""
        now = self._clock()
        self._tries += 1
        self.reason = disconnect.reason
        if self._since is None:
            self._since = now
        if self._logged_at is not None and now - self._logged_at < LOG_EVERY_SECONDS:
            return
        self._logged_at, self._logged = now, True
        log.warning(
            "stream lost, trying again",
            url=self._url,
            cause=disconnect.cause,
            reason=disconnect.reason,
            tries=self._tries,
            seconds=round(now - self._since),
        )

    def over(self) -> None:
        """Events come (again)."""
        if self._logged and self._since is not None:
            log.info("stream back", seconds=round(self._clock() - self._since, 1), tries=self._tries)
        self._since = self.reason = None
        self._logged = False
        self._tries = 0


class Read(Protocol):
    async def __call__(self, *, read_any: bool) -> None:
        """Connect and read until an error; `read_any` says whether the connection before brought events."""


async def keep_connected(
    read: Read,
    progress: Progress,
    counts: Counts,
    outage: Outage,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    uniform: Callable[[float, float], float] = random.uniform,
) -> NoReturn:
    """Call `read` for ever, with pauses. StreamFatal when trying again is of no use."""
    attempt = 0
    read_any = False
    while True:
        read_before = progress.events
        try:
            await read(read_any=read_any)
        except (StreamEnded, StreamRefused, aiohttp.ClientError, OSError, TimeoutError) as error:
            disconnect = classify(error)
        else:
            disconnect = Disconnect("ended", "no more events")
        counts.reconnects[disconnect.cause] += 1
        read_any = progress.events > read_before
        if read_any:
            attempt = 0
        outage.disconnected(disconnect)
        await sleep(backoff_seconds(attempt, disconnect.retry_after, uniform))
        attempt += 1
