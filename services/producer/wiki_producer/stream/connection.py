"""One connection to the stream: aiohttp-sse-client's EventSource over a session of ours.

At a clean end of a response EventSource connects again by itself, and then takes the half event that it had
for a whole one. Here the end of a response raises, so that an EventSource never sees a second one.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import aiohttp
from aiohttp_sse_client.client import EventSource, MessageEvent
from multidict import CIMultiDictProxy
from yarl import URL

from wiki_producer.stream.position import After, ResumePoint, Since

CONNECT_TIMEOUT_SECONDS: Final = 20
# aiohttp stops reading from the socket when twice this is buffered; a larger event takes several reads.
READ_BUFFER: Final = 256 * 1024
# An event's data is one line. A longer one is cut and then rejected as unreadable: a MiB takes 5 of memory.
LONGEST_LINE: Final = 8 * 1024 * 1024
_ERROR_TEXT_BYTES: Final = 500

__all__ = ["MessageEvent", "StreamEnded", "StreamRefused", "open_stream", "stream_session"]


class StreamEnded(Exception):
    """The server ended the response; half an event at its end is dropped."""


class StreamRefused(Exception):
    """The server answered with something other than a stream of events."""

    def __init__(self, status: int, text: str, retry_after: str | None) -> None:
        super().__init__(f"HTTP {status}: {text}" if text else f"HTTP {status}")
        self.status = status
        self.retry_after = retry_after


def stream_session(user_agent: str, idle_timeout: timedelta) -> aiohttp.ClientSession:
    """A session whose connections may last for ever, but not be silent for longer than `idle_timeout`."""
    return aiohttp.ClientSession(
        headers={"User-Agent": user_agent},
        timeout=aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_TIMEOUT_SECONDS, sock_read=idle_timeout.total_seconds()
        ),
        read_bufsize=READ_BUFFER,
    )


@asynccontextmanager
async def open_stream(
    session: aiohttp.ClientSession, url: str, point: ResumePoint
) -> AsyncIterator[AsyncIterator[MessageEvent]]:
    """Connect, and iterate over the events from `point` on until StreamEnded or an error of aiohttp's.

    Raises StreamRefused when the server answers anything but 200 and an event stream.
    """
    headers: dict[str, str] = {}
    target = URL(url)
    if isinstance(point, After):
        headers["Last-Event-ID"] = point.position.last_event_id()
    elif isinstance(point, Since):
        target = target.update_query(since=str(point.timestamp_ms))
    async with EventSource(
        target, session=_OneRequest(session), max_connect_retry=0, headers=headers
    ) as source:
        yield source


class _OneRequest:
    """What EventSource uses of a session. An answer that is no stream raises StreamRefused with its text."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def request(self, method: str, url: URL, **kwargs: Any) -> "_EventStreamResponse":
        response = await self._session.request(method, url, **kwargs)
        if response.status == 200 and response.content_type == "text/event-stream":
            return _EventStreamResponse(response)
        try:
            text = (await response.content.read(_ERROR_TEXT_BYTES)).decode("utf-8", "replace")
        except (aiohttp.ClientError, TimeoutError):
            text = ""
        finally:
            response.close()
        if response.status == 200:
            text = f"expected text/event-stream, got {response.content_type}"
        raise StreamRefused(response.status, " ".join(text.split()), response.headers.get("Retry-After"))


class _EventStreamResponse:
    """What EventSource uses of a response."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.content_type = response.content_type
        self.real_url = response.real_url
        self.content = _Lines(response.content)

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        return self._response.headers

    def close(self) -> None:
        self._response.close()


class _Lines:
    """The body's lines, of any length and always valid UTF-8; aiohttp and EventSource would raise."""

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._content = content
        self._lines: list[bytes] = []  # newest first
        self._rest = b""

    def __aiter__(self) -> "_Lines":
        return self

    async def __anext__(self) -> bytes:
        while not self._lines:
            await self._read()
        return self._lines.pop()

    async def _read(self) -> None:
        # A fast server keeps the buffer filled; without this, timers and signals would have to wait.
        await asyncio.sleep(0)
        chunk = await self._content.readany()
        if not chunk:
            raise StreamEnded("the server ended the response")
        whole, newline, rest = (self._rest + chunk).rpartition(b"\n")
        if not newline:
            self._rest = rest[:LONGEST_LINE]
            return
        self._rest = rest
        self._lines = _as_utf8(whole).split(b"\n")
        self._lines.reverse()


def _as_utf8(text: bytes) -> bytes:
    try:
        text.decode()
    except UnicodeDecodeError:
        return text.decode("utf-8", "replace").encode()
    return text
