"""Connects to the stream again and again, and gives up when that is of no use."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final, NoReturn, Protocol

import aiohttp

from wiki_producer.status.counts import Counts
from wiki_producer.stream.backoff import Backoff, retry_after_seconds
from wiki_producer.stream.connection import StreamRefused
from wiki_producer.stream.lines import StreamEnded
from wiki_producer.stream.outage import Disconnect, Outage
from wiki_producer.stream.progress import Progress

# The request, URL or User-Agent is wrong, or something between us and the stream is.
_REFUSALS: Final = frozenset({400, 401, 403, 404})
# Upstream's answers to a Last-Event-ID that it can't read, or that names a topic which is gone.
_POSITION_REFUSALS: Final = frozenset({400, 404, 410})
# A request that worked before may work again: it is repeated for so long after the first refusal.
PATIENCE_SECONDS: Final = 900.0
# What a connection may raise.
CONNECTION_ERRORS: Final = (StreamEnded, StreamRefused, aiohttp.ClientError, OSError, TimeoutError)


class StreamFatal(Exception):
    """The stream refuses for good; the text is the server's."""


def classify(error: Exception) -> Disconnect:
    """What an error of a connection means."""
    if isinstance(error, StreamRefused):
        position_refused = error.with_position and error.status in _POSITION_REFUSALS
        return Disconnect(
            f"http_{error.status}",
            str(error),
            retry_after_seconds(error.retry_after, datetime.now(UTC)),
            refused=error.status in _REFUSALS and not position_refused,
            position_refused=position_refused,
        )
    if isinstance(error, StreamEnded):
        return Disconnect("ended", str(error))
    if isinstance(error, TimeoutError):
        return Disconnect("timeout", f"nothing came in time: {error}".removesuffix(": "))
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return Disconnect(f"proxy_{error.status}", f"the proxy refuses: HTTP {error.status} {error.message}")
    if isinstance(error, aiohttp.ClientConnectorError):
        return Disconnect("unreachable", str(error))
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        # The URL of the settings was checked: this one comes from a redirect.
        return Disconnect("redirect", f"redirected to {error}", refused=True)
    return Disconnect("reset", str(error) or type(error).__name__)


class Read(Protocol):
    async def __call__(self, *, read_any: bool, position_refused: bool) -> None:
        """Connect and read until an error.

        `read_any` says whether the connection before brought events, `position_refused` whether its
        Last-Event-ID was refused.
        """


async def keep_connected(
    read: Read,
    progress: Progress,
    counts: Counts,
    outage: Outage,
    *,
    backoff: Backoff,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> NoReturn:
    """Call `read` for ever, with pauses. StreamFatal when trying again is of no use.

    That is when a request is refused that never worked in this process, or for PATIENCE_SECONDS.
    """
    read_any = position_refused = False
    refused_at: float | None = None
    while True:
        read_before, began = progress.events, clock()
        try:
            await read(read_any=read_any, position_refused=position_refused)
        except CONNECTION_ERRORS as error:
            disconnect = classify(error)
        else:
            disconnect = Disconnect("ended", "no more events")
        now = clock()
        read_any, position_refused = progress.events > read_before, disconnect.position_refused
        counts.reconnects[disconnect.cause] += 1
        if not disconnect.refused:
            refused_at = None
        elif refused_at is None:
            refused_at = now
        if refused_at is not None and (progress.events == 0 or now - refused_at >= PATIENCE_SECONDS):
            raise StreamFatal(f"the stream refuses: {disconnect.reason}")
        outage.disconnected(disconnect)
        pause = backoff.pause_seconds(
            lasted_seconds=now - began, brought_events=read_any, retry_after=disconnect.retry_after
        )
        await sleep(pause)
