"""One connection to the stream: aiohttp-sse-client's EventSource over a session of ours.

At a clean end of a response EventSource connects again by itself, and then takes the half event that it had
for a whole one. Here the end of a response raises, so that an EventSource never sees a second one.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import aiohttp
from aiohttp_sse_client.client import EventSource, MessageEvent
from multidict import CIMultiDictProxy
from yarl import URL

from wiki_producer.stream.lines import Lines
from wiki_producer.stream.position import After, ResumePoint, Since

CONNECT_TIMEOUT_SECONDS: Final = 20
# aiohttp stops reading from the socket when twice this is buffered; a larger event takes several reads.
READ_BUFFER: Final = 256 * 1024
_ERROR_TEXT_BYTES: Final = 500

__all__ = ["MessageEvent", "StreamRefused", "open_stream", "stream_session"]


class StreamRefused(Exception):
    """The server answered with something other than a stream of events.

    `with_position` says whether it was asked with a Last-Event-ID.
    """

    def __init__(
        self, status: int, text: str, retry_after: str | None, *, with_position: bool = False
    ) -> None:
        super().__init__(f"HTTP {status}: {text}" if text else f"HTTP {status}")
        self.status = status
        self.with_position = with_position
        self.retry_after = retry_after


def stream_session(user_agent: str, proxy: URL | None) -> aiohttp.ClientSession:
    """A session whose connections may last for ever; `open_stream` ends those that are silent."""
    return aiohttp.ClientSession(
        headers={"User-Agent": user_agent},
        proxy=proxy,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_SECONDS),
        read_bufsize=READ_BUFFER,
    )


@asynccontextmanager
async def open_stream(
    session: aiohttp.ClientSession,
    url: str,
    point: ResumePoint,
    idle_timeout: timedelta,
    *,
    answered: Callable[[str | None], None] = lambda _date: None,
) -> AsyncIterator[AsyncIterator[MessageEvent]]:
    """Connect, and iterate over the events from `point` on until StreamEnded or an error of aiohttp's.

    TimeoutError after `idle_timeout` without a byte; StreamRefused if the answer is no stream of events.
    `answered` is called with the header Date of any answer.
    """
    headers: dict[str, str] = {}
    target = URL(url)
    if isinstance(point, After):
        headers["Last-Event-ID"] = point.position.last_event_id()
    elif isinstance(point, Since):
        target = target.update_query(since=str(point.timestamp_ms))
    one_request = _OneRequest(session, idle_timeout.total_seconds(), answered)
    async with EventSource(target, session=one_request, max_connect_retry=0, headers=headers) as source:
        yield source


class _OneRequest:
    """What EventSource uses of a session. An answer that is no stream raises StreamRefused with its text."""

    def __init__(
        self, session: aiohttp.ClientSession, idle_seconds: float, answered: Callable[[str | None], None]
    ) -> None:
        self._session = session
        self._idle_seconds = idle_seconds
        self._answered = answered

    async def request(self, method: str, url: URL, **kwargs: Any) -> "_EventStreamResponse":
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS + self._idle_seconds):
                response = await self._session.request(method, url, **kwargs)
        except UnicodeError as error:
            # A redirect may lead to a name that is none.
            raise aiohttp.InvalidURL(url, str(error)) from None
        self._answered(response.headers.get("Date"))
        if response.status == 200 and response.content_type == "text/event-stream":
            return _EventStreamResponse(response, self._idle_seconds)
        try:
            text = await self._text(response)
        finally:
            response.close()
        if response.status == 200:
            text = f"expected text/event-stream, got {response.content_type}"
        raise StreamRefused(
            response.status,
            " ".join(text.split()),
            response.headers.get("Retry-After"),
            with_position="Last-Event-ID" in kwargs["headers"],
        )

    async def _text(self, response: aiohttp.ClientResponse) -> str:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with asyncio.timeout(self._idle_seconds):
                return (await response.content.read(_ERROR_TEXT_BYTES)).decode("utf-8", "replace")
        return ""


class _EventStreamResponse:
    """What EventSource uses of a response."""

    def __init__(self, response: aiohttp.ClientResponse, idle_seconds: float) -> None:
        self._response = response
        self._idle_seconds = idle_seconds
        self.status = response.status
        self.content_type = response.content_type
        self.real_url = response.real_url
        self.content = Lines(self._read)

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        return self._response.headers

    def close(self) -> None:
        self._response.close()

    async def _read(self) -> bytes:
        # aiohttp's own timeout does not end the wait for more of a compressed body that stopped half-way.
        async with asyncio.timeout(self._idle_seconds):
            return await self._response.content.readany()
