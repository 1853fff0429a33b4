"""The stream's protocol against a server of our own, which sends what Wikimedia's might."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from producer.events import sse_id
from wiki_producer.stream.connection import (
    MessageEvent,
    StreamRefused,
    open_stream,
    stream_session,
)
from wiki_producer.stream.lines import LONGEST_LINE, StreamEnded
from wiki_producer.stream.position import After, Live, ResumePoint, Since, parse_position
from wiki_producer.stream.reconnect import classify

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]
EVENT = b'event: message\nid: 1\ndata: {"a":1}\n\n'


async def read(
    serve: Serve, point: ResumePoint | None = None, *, idle: timedelta = timedelta(seconds=30)
) -> tuple[list[MessageEvent], Exception]:
    """The events of one connection to `serve`, and what ended it."""
    events: list[MessageEvent] = []
    async with serving(serve) as url, stream_session("test/1.0 (https://example.org)", None) as session:
        try:
            async with open_stream(session, url, point or Live(), idle) as stream:
                async for event in stream:
                    events.append(event)
        except (StreamEnded, StreamRefused, aiohttp.ClientError, OSError) as error:
            return events, error
    raise AssertionError("a stream ends with an error")


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/stream", serve)
    async with TestServer(app) as server:
        yield str(server.make_url("/stream"))


def sending(
    *chunks: bytes,
    then: Callable[[web.Request], Awaitable[None]] | None = None,
    status: int = 200,
    **headers: str,
) -> Serve:
    """Serves the chunks one by one; `headers` with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def serve(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            status=status, headers={"Content-Type": "text/event-stream; charset=utf-8", **named}
        )
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
            await asyncio.sleep(0.01)
        if then is not None:
            await then(request)
        return response

    return serve


async def test_events_have_an_id_and_data_and_comments_are_none() -> None:
    events, error = await read(sending(b":ok\n\n", EVENT, b": keep-alive\n\n", EVENT))
    assert [(each.message, each.last_event_id, each.data) for each in events] == [
        ("message", "1", '{"a":1}')
    ] * 2
    assert isinstance(error, StreamEnded)


async def test_half_an_event_at_the_end_is_gone() -> None:
    events, error = await read(sending(EVENT, b'event: message\nid: 2\ndata: {"half'))
    assert [each.last_event_id for each in events] == ["1"]
    assert isinstance(error, StreamEnded)


async def test_an_event_whose_empty_line_is_missing_is_gone_too() -> None:
    events, _ = await read(sending(EVENT, EVENT.replace(b"1", b"2")[:-1]))
    assert [each.last_event_id for each in events] == ["1"]


@pytest.mark.parametrize("size", [1, 7, 13, 70])
async def test_events_come_whole_however_they_are_chunked(size: int) -> None:
    body = b":ok\n\n" + EVENT + EVENT.replace(b"\n", b"\r\n")
    events, _ = await read(sending(*(body[at : at + size] for at in range(0, len(body), size))))
    assert [each.data for each in events] == ['{"a":1}'] * 2


@pytest.mark.parametrize("size", [1, 3, 13, 70])
async def test_lines_end_with_cr_lf_or_both(size: int) -> None:
    body = b":ok\n\n" + EVENT.replace(b"\n", b"\r") + EVENT + EVENT.replace(b"\n", b"\r\n")
    body += b"id: 2\rdata: a\r\ndata: b\n\r\n" + EVENT.replace(b"\n", b"\r")
    events, _ = await read(sending(*(body[at : at + size] for at in range(0, len(body), size))))
    assert [(each.last_event_id, each.data) for each in events] == [
        *[("1", '{"a":1}')] * 3,
        ("2", "a\nb"),
        ("1", '{"a":1}'),
    ]


async def test_an_event_that_ends_with_cr_alone_is_not_kept_until_the_next() -> None:
    async def silence(_request: web.Request) -> None:
        await asyncio.sleep(60)

    serve = sending(EVENT.replace(b"\n", b"\r"), then=silence)
    events, _ = await read(serve, idle=timedelta(milliseconds=300))
    assert len(events) == 1


async def test_a_byte_order_mark_is_not_part_of_the_first_line() -> None:
    events, _ = await read(sending(b"\xef\xbb\xbfdata: 1\n\n"))
    assert [each.data for each in events] == ["1"]


@pytest.mark.parametrize(
    "field",
    [
        b"retry: 99999999999999999999",
        b"retry: 9" + b"9" * 5000,
        b"retry: -1",
        b"retry: soon",
        b"retry",
        b"id:",
        b"id",
        b"id: a\x00b",
        b"\x00",
        b"data2: x",
        b": comment",
        b"::",
        b"DATA: x",
    ],
)
async def test_a_field_that_cannot_be_used_is_ignored(field: bytes) -> None:
    other = EVENT.replace(b"id: 1", b"id: 2").replace(b"event", field + b"\nevent", 1)
    last = EVENT.replace(b"id: 1\n", field + b"\n")
    events, error = await read(sending(EVENT, other, last))
    assert [(each.last_event_id, each.data) for each in events] == [
        ("1", '{"a":1}'),
        ("2", '{"a":1}'),
        ("2", '{"a":1}'),
    ]
    assert isinstance(error, StreamEnded)


@pytest.mark.timeout(60)
async def test_an_event_of_endlessly_many_lines_is_cut_too() -> None:
    events, _ = await read(sending(*[b"data: x\n" * 100_000] * 20, b"\n", EVENT))
    assert len(events[0].data) < 100_000
    assert events[1].data == '{"a":1}'


async def test_an_event_of_several_mb_is_read() -> None:
    comment = b"x" * 3_000_000
    events, _ = await read(sending(b"id: 5\ndata: " + comment + b"\n\n", EVENT))
    assert [len(each.data) for each in events] == [3_000_000, 7]


async def test_an_event_beyond_all_bounds_is_cut_and_the_next_is_whole() -> None:
    events, _ = await read(sending(b"data: " + b"x" * (LONGEST_LINE + 5_000_000) + b"\n\n", EVENT))
    assert len(events[0].data) < LONGEST_LINE + 1_000_000
    assert events[1].data == '{"a":1}'


async def test_bytes_that_are_no_utf8_are_replaced_and_do_not_end_the_stream() -> None:
    events, error = await read(sending(b"data: \xff\xfe!\n\n", EVENT))
    assert events[0].data == "\ufffd\ufffd!"
    assert len(events) == 2
    assert isinstance(error, StreamEnded)


async def test_a_reset_is_an_error() -> None:
    async def reset(request: web.Request) -> None:
        assert request.transport is not None
        request.transport.abort()

    events, error = await read(sending(EVENT, then=reset))
    assert len(events) == 1
    assert isinstance(error, aiohttp.ClientError | OSError)


async def test_silence_is_an_error_after_the_idle_timeout() -> None:
    async def silence(_request: web.Request) -> None:
        await asyncio.sleep(60)

    events, error = await read(sending(EVENT, then=silence), idle=timedelta(milliseconds=300))
    assert len(events) == 1
    assert isinstance(error, TimeoutError)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("encoding", ["deflate", "gzip"])
async def test_a_compressed_stream_that_never_finishes_is_an_error_after_the_idle_timeout(
    encoding: str,
) -> None:
    """aiohttp waits for the rest of what is compressed even at the end of the response."""
    packer = zlib.compressobj(wbits=31 if encoding == "gzip" else 15)
    packed = packer.compress(EVENT) + packer.flush(zlib.Z_SYNC_FLUSH)
    serve = sending(packed, Content_Encoding=encoding)
    events, error = await read(serve, idle=timedelta(milliseconds=300))
    assert [each.last_event_id for each in events] == ["1"]
    assert isinstance(error, TimeoutError | StreamEnded)


@pytest.mark.timeout(30)
async def test_a_compressed_refusal_that_never_finishes_is_one_all_the_same() -> None:
    packer = zlib.compressobj()
    packed = packer.compress(b"Too many") + packer.flush(zlib.Z_SYNC_FLUSH)

    serve = sending(packed, status=429, Content_Encoding="deflate")
    _, error = await read(serve, idle=timedelta(milliseconds=300))
    assert isinstance(error, StreamRefused)
    assert error.status == 429


async def test_a_refusal_keeps_the_servers_words_and_wish() -> None:
    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(
            status=429, text="Too many\n connections" + "!" * 9999, headers={"Retry-After": "7"}
        )

    _, error = await read(refuse)
    assert isinstance(error, StreamRefused)
    assert (error.status, error.retry_after) == (429, "7")
    assert str(error).startswith("HTTP 429: Too many connections!!!")
    assert len(str(error)) < 600


@pytest.mark.parametrize("target", ["http://a..b/", "http://h:abc/", "ftp://h/", "//[::1/"])
async def test_a_redirect_to_no_possible_address_is_a_refusal(target: str) -> None:
    async def redirect(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": target})

    _, error = await read(redirect)
    assert isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError)
    assert classify(error).refused


async def test_a_page_is_no_stream() -> None:
    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="<html>", content_type="text/html")

    _, error = await read(page)
    assert "expected text/event-stream, got text/html" in str(error)


@pytest.mark.parametrize(
    ("point", "last_event_id", "since"),
    [
        (Live(), None, None),
        (Since(1234), None, "1234"),
        (After(parse_position(sse_id(1234))), sse_id(1234), None),
    ],
    ids=["live", "since", "after"],
)
async def test_a_connection_asks_for_its_point(
    point: ResumePoint, last_event_id: str | None, since: str | None
) -> None:
    asked: list[web.Request] = []

    async def serve(request: web.Request) -> web.StreamResponse:
        asked.append(request)
        return await sending(EVENT)(request)

    await read(serve, point)
    assert asked[0].headers.get("Last-Event-ID") == last_event_id
    assert asked[0].query.get("since") == since
    assert asked[0].headers["User-Agent"] == "test/1.0 (https://example.org)"
    assert len(asked) == 1, "an EventSource connects once"
