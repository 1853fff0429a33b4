"""Whatever a server sends: the events that the standard finds in it, or an error that is tried again."""

import asyncio
import gzip
import re
import zlib
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from typing import Any

from aiohttp_sse_client.client import EventSource
from hypothesis import example, given
from hypothesis import strategies as st
from multidict import CIMultiDict
from yarl import URL

from harness.fuzzing import tries
from wiki_producer.stream.connection import MessageEvent, open_stream, stream_session
from wiki_producer.stream.lines import Lines, StreamEnded
from wiki_producer.stream.position import Live
from wiki_producer.stream.reconnect import CONNECTION_ERRORS, classify

BOM = b"\xef\xbb\xbf"
EVENT = b'event: message\nid: 1\ndata: {"a":1}\n\n'


def by_the_standard(body: bytes) -> list[tuple[str, str, str]]:
    """Type, last id and data of each event: https://html.spec.whatwg.org/multipage/server-sent-events.html.

    But an id of nothing is ignored, and neither spaces at the start of a line of data nor empty lines at the
    end of all count: JSON has neither within a text.
    """
    found = []
    kind, last_id, data = "", "", ""
    *lines, _ = re.split("\r\n|\r|\n", body.removeprefix(BOM).decode("utf-8", "replace"))
    for line in lines:
        name, _, value = line.partition(":")
        if not line:
            if data:
                found.append((kind, last_id, data.rstrip("\n")))
            kind, data = "", ""
        elif name == "event":
            kind = value.lstrip(" ")
        elif name == "data":
            data += value.lstrip(" ") + "\n"
        elif name == "id" and "\0" not in value and value.strip(" "):
            last_id = value.lstrip(" ")
    return found


class Response:
    """All that EventSource uses of a response, with the body in these chunks."""

    status, content_type, real_url = 200, "text/event-stream", URL("http://stream.example/")

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._chunks = iter(chunks)
        self.headers: CIMultiDict[str] = CIMultiDict()
        self.content = Lines(self._read)

    async def _read(self) -> bytes:
        return next(self._chunks, b"")

    async def request(self, *_: object, **__: object) -> "Response":
        """It is the session too."""
        return self

    def close(self) -> None:
        """Nothing is open."""


async def events_of(chunks: Sequence[bytes]) -> list[tuple[str, str, str]]:
    session: Any = Response(chunks)
    found = []
    async with EventSource("http://stream.example/", session=session) as source:
        try:
            async for event in source:
                found.append((event.message, event.last_event_id, event.data))
        except StreamEnded:
            return found
    raise AssertionError("a stream ends with an error")


lines = st.builds(
    lambda *parts: b"".join(parts),
    st.sampled_from([b"data", b"id", b"event", b"retry", b"", b" data", b"DATA", b"data2", b"identity", BOM]),
    st.sampled_from([b": ", b":", b"", b"::", b" :"]),
    st.binary(max_size=8)
    | st.text(max_size=8).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.sampled_from([b'{"a":1}', b"", b" ", b"\0", b"9" * 5000, "é\u2028ü\x85".encode()]),
    st.sampled_from([b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n", b""]),
)
bodies = st.lists(lines | st.just(EVENT) | st.binary(max_size=12), max_size=12).map(b"".join)


@tries(400)
@given(
    body=bodies, cuts=st.sets(st.integers(1, 150), max_size=20) | st.builds(range, st.just(1), st.just(150))
)
@example(body=b"data: 1\r\ndata: 2\r\n\r\n", cuts=range(150))
@example(body=b"retry: 99999999999999999999\ndata: 1\n\n", cuts=set())
def test_any_bytes_in_any_chunks_are_the_events_that_the_standard_finds(
    body: bytes, cuts: Collection[int]
) -> None:
    bounds = [0, *sorted(cut for cut in cuts if 0 < cut < len(body)), len(body)]
    chunks = [body[start:end] for start, end in pairwise(bounds) if start < end]
    assert asyncio.run(events_of(chunks)) == by_the_standard(body)


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """A server that answers each request with these bytes, whatever they are, and closes the connection."""

    async def answer_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(answer_one, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/stream"


async def read(answer: bytes) -> tuple[list[MessageEvent], Exception]:
    """The events of one connection to a server that gives this answer, and what ended it."""
    events: list[MessageEvent] = []
    async with answering(answer) as url, stream_session("test/1.0 (https://example.org)", None) as session:
        try:
            async with open_stream(session, url, Live(), timedelta(milliseconds=200)) as stream:
                async for event in stream:
                    events.append(event)
        except CONNECTION_ERRORS as error:
            return events, error
    raise AssertionError("a stream ends with an error")


def response(status: bytes, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> bytes:
    named = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    return b"HTTP/1.1 " + status + b"\r\n" + named + b"\r\n" + body


encodings = st.sampled_from(
    [b"gzip", b"deflate", b"br", b"zstd", b"identity", b"x", b"", b"gzip, gzip", b"\xff"]
)
header_values = st.binary(max_size=12).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b""))
headers = st.lists(
    st.tuples(st.just(b"Content-Encoding"), encodings)
    | st.tuples(
        st.just(b"Content-Type"),
        st.sampled_from(
            [b"text/event-stream", b"text/event-stream;charset=utf-16", b"TEXT/Event-Stream", b";", b""]
        ),
    )
    | st.tuples(
        st.sampled_from(
            [b"Transfer-Encoding", b"Content-Length", b"Retry-After", b"Date", b"Location", b"Set-Cookie"]
        ),
        st.sampled_from(
            [b"chunked", b"0", b"-1", b"9" * 30, b"Thu, 99 Foo 2026", b"http://[/", b"//x:y", b"=;"]
        )
        | header_values,
    )
    | st.tuples(st.binary(max_size=5), header_values),
    max_size=4,
)
raw_deflate = zlib.compressobj(wbits=-15)
compressed = st.sampled_from(
    [gzip.compress(EVENT), zlib.compress(EVENT), raw_deflate.compress(EVENT) + raw_deflate.flush()]
)
statuses = st.sampled_from(
    [b"200 OK", b"200", b"204 No", b"206 Part", b"301 Moved", b"429 Wait", b"599 ?", b"999 x", b"0"]
)


@tries(120)
@given(
    status=statuses,
    headers=headers,
    body=bodies | compressed | st.builds(lambda body, cut: body[:cut], compressed, st.integers(0, 40)),
    whole=st.booleans(),
)
@example(status=b"301 Moved", headers=[(b"Location", b"http://a..b/")], body=b"", whole=False)
@example(status=b"200 OK", headers=[(b"Content-Type", b"text/event-stream")], body=EVENT, whole=True)
def test_any_answer_is_read_or_is_an_error_that_is_known(
    status: bytes, headers: list[tuple[bytes, bytes]], body: bytes, whole: bool
) -> None:
    """`whole`: the answer has the type of a stream at least."""
    told = [(b"Content-Type", b"text/event-stream"), *headers] if whole else headers
    events, error = asyncio.run(read(response(status, told, body)))
    assert all(isinstance(event.data, str) for event in events)
    assert classify(error).reason
