"""The stream's protocol against a server of our own, which sends what Wikimedia's might."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from producer.events import sse_id
from wiki_producer.stream.connection import (
    LONGEST_LINE,
    MessageEvent,
    StreamEnded,
    StreamRefused,
    open_stream,
    stream_session,
)
from wiki_producer.stream.position import After, Live, ResumePoint, Since, parse_position

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]
EVENT = b'event: message\nid: 1\ndata: {"a":1}\n\n'


async def read(
    serve: Serve, point: ResumePoint | None = None, *, idle: timedelta = timedelta(seconds=30)
) -> tuple[list[MessageEvent], Exception]:
    """The events of one connection to `serve`, and what ended it."""
    events: list[MessageEvent] = []
    async with serving(serve) as url, stream_session("test/1.0 (https://example.org)", idle) as session:
        try:
            async with open_stream(session, url, point or Live()) as stream:
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


def sending(*chunks: bytes, then: Callable[[web.Request], Awaitable[None]] | None = None) -> Serve:
    async def serve(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
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
