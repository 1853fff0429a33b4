"""A stream that refuses, or ends each connection early, read into the topics of a real broker."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer
from kafka import KafkaProducer

from harness.processes import wait_until
from producer.events import EDIT, edit, sse_id
from producer.relay.parts import parts_of
from producer.topics import TopicReader
from wiki_producer.relay.reading import read_stream
from wiki_producer.settings import Settings
from wiki_producer.stream.outage import Outage
from wiki_producer.stream.position import (
    REWIND_MS,
    After,
    Live,
    ResumePoint,
    parse_position,
    resume_after,
)
from wiki_producer.stream.reconnect import StreamFatal

NOW = 0
"""Milliseconds, when the test begins: its file may have been imported an hour before."""


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "NOW", time.time_ns() // 1_000_000)


@dataclass
class Stream:
    """Answers each request with the next step: a status that refuses it, or the numbers of the edits to send.

    After the last step a connection stays open and silent. `refuses_positions` answers 404 to each request
    with a Last-Event-ID, and takes no step.
    """

    steps: list[int | range]
    refuses_positions: bool = False
    ahead_seconds: float = 0
    """How far the stream's clock is ahead of ours."""
    requests: list[str] = field(default_factory=list)
    """What each request asked for: a Last-Event-ID, since=…, or nothing."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        position = request.headers.get("Last-Event-ID", "")
        self.requests.append(position or request.query_string)
        if position and self.refuses_positions:
            return web.Response(status=404, text="no such topic")
        step = self.steps.pop(0) if self.steps else range(0)
        date = formatdate(time.time() + self.ahead_seconds, usegmt=True)
        if isinstance(step, int):
            return web.Response(status=step, text="not now", headers={"Date": date})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Date": date})
        await response.prepare(request)
        for number in step:
            data = edit(meta={**EDIT["meta"], "id": str(number)})
            await response.write(f"event: message\nid: {sse_id(NOW + number)}\ndata: {data}\n\n".encode())
        if not self.steps:
            await asyncio.sleep(60)
        return response


async def read(
    stream: Stream,
    settings: Settings,
    kafka: KafkaProducer,
    *,
    until: int,
    first: Callable[[int], ResumePoint] = lambda _now: Live(),
) -> list[str]:
    """The ids in the topic once `until` events have been kept. Raises what ends the reading before."""
    app = web.Application()
    app.router.add_get("/stream", stream.answer)
    parts = parts_of(settings, kafka)
    async with TestServer(app) as server:
        url = str(server.make_url("/stream"))
        here = settings.model_copy(update={"wiki_stream_url": url})
        reading = asyncio.create_task(
            read_stream(here, first, parts.relay, parts.progress, parts.counts, Outage(url), parts.clock)
        )
        await asyncio.to_thread(
            wait_until,
            lambda: parts.counts.kept >= until or reading.done(),
            timeout=60,
            what=f"{until} events are kept",
        )
        if reading.done():
            reading.result()
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
    await parts.publisher.wait_until_acknowledged()
    topic = TopicReader(",".join(settings.kafka_bootstrap_servers), settings.kafka_topic)
    return [record.event_id for record in topic.read() if not record.is_heartbeat]


def resume_from(timestamp: int) -> Callable[[int], ResumePoint]:
    """Where to resume, by the time now, after an event at `timestamp`."""
    position = parse_position(sse_id(timestamp))
    return lambda now: resume_after(position, now_ms=now, max_age_ms=30 * 60_000)


def ids(until: int) -> list[str]:
    return [str(number) for number in range(until)]


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_what_worked_before_is_tried_again(
    settings: Settings, kafka: KafkaProducer, status: int
) -> None:
    stream = Stream([range(3), status, status, status, range(3, 5)])
    assert await read(stream, settings, kafka, until=5) == ids(5)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_refusal_of_what_never_worked_ends_at_once(
    settings: Settings, kafka: KafkaProducer, status: int
) -> None:
    stream = Stream([status])
    with pytest.raises(StreamFatal, match=f"the stream refuses: HTTP {status}: not now"):
        await read(stream, settings, kafka, until=1)
    assert len(stream.requests) == 1


async def test_a_refused_position_falls_back_to_a_time(settings: Settings, kafka: KafkaProducer) -> None:
    stream = Stream([range(3), range(2, 5), range(4, 6)], refuses_positions=True)
    assert await read(stream, settings, kafka, until=6) == ids(6)
    first, position, time_before, other_position, other_time = stream.requests
    assert first == ""
    assert "timestamp" in position
    assert "timestamp" in other_position, "another position may be taken"
    since = int(time_before.removeprefix("since="))
    assert NOW - 2_500 < since <= NOW + 2
    assert int(other_time.removeprefix("since=")) > since


async def test_the_topics_own_position_may_be_refused(settings: Settings, kafka: KafkaProducer) -> None:
    """A start must not end because a position in the topic is no longer known upstream."""
    stream = Stream([range(1)], refuses_positions=True)
    position = parse_position(sse_id(NOW - 5_000))
    assert await read(stream, settings, kafka, until=1, first=lambda _now: After(position)) == ["0"]
    assert stream.requests[1] == f"since={NOW - 5_000}"


async def test_a_refusal_of_position_and_time_ends_what_never_worked(
    settings: Settings, kafka: KafkaProducer
) -> None:
    stream = Stream([404])
    stream.refuses_positions = True
    with pytest.raises(StreamFatal, match="HTTP 404: not now"):
        await read(stream, settings, kafka, until=1, first=lambda _now: After(parse_position(sse_id(NOW))))
    assert len(stream.requests) == 2


async def test_a_stream_that_ends_each_connection_early_is_said_once_a_minute(
    settings: Settings, kafka: KafkaProducer
) -> None:
    stream = Stream([range(number, number + 1) for number in range(6)])
    with structlog.testing.capture_logs() as logged:
        assert await read(stream, settings, kafka, until=6) == ids(6)
    assert [each["event"] for each in logged if each["log_level"] != "debug"] == [
        "reading live: the topic is empty",
        "coverage begins",
        "stream lost, trying again",
        "resuming",
        "stream back",
    ]


async def test_a_gap_is_given_up_by_the_streams_clock_and_not_by_ours(
    settings: Settings, kafka: KafkaProducer
) -> None:
    """Ours is 40 minutes ahead, so the last event seems older than MAX_EVENT_AGE; it is a minute old."""
    last = NOW - 41 * 60_000
    stream = Stream([range(1), range(1)], ahead_seconds=-40 * 60)
    with structlog.testing.capture_logs() as logged:
        await read(stream, settings, kafka, until=1, first=resume_from(last))
    assert stream.requests[1:] == [parse_position(sse_id(last)).rewound(REWIND_MS).last_event_id()]
    assert [each["event"] for each in logged if each["event"].startswith("gap")] == []


async def test_a_real_gap_is_given_up_up_to_the_age_limit_by_the_streams_clock(
    settings: Settings, kafka: KafkaProducer
) -> None:
    """Ours is 10 minutes behind."""
    stream = Stream([range(1), range(1)], ahead_seconds=600)
    await read(stream, settings, kafka, until=1, first=resume_from(NOW - 50 * 60_000))
    since = int(stream.requests[-1].removeprefix("since="))
    assert abs(since - (time.time() * 1000 + 600_000 - 30 * 60_000)) < 10_000


@pytest.mark.parametrize("step", [400, range(1)], ids=["refused", "taken for now"])
async def test_a_time_in_the_streams_future_is_not_asked_for_again(
    settings: Settings, kafka: KafkaProducer, step: int | range
) -> None:
    """Ours is 40 minutes ahead, and the topic ends a minute too early for MAX_EVENT_AGE."""
    last = NOW - 40 * 60_000 - 31 * 60_000
    stream = Stream([step, range(2)], ahead_seconds=-40 * 60)
    assert await read(stream, settings, kafka, until=2, first=resume_from(last)) == ids(2)
    too_late, since = [int(asked.removeprefix("since=")) for asked in stream.requests]
    true_now = time.time() * 1000 - 40 * 60_000
    assert too_late > true_now, "in the stream's future"
    assert abs(since - (true_now - 30 * 60_000)) < 10_000


async def test_a_clock_that_is_seconds_ahead_gives_no_seconds_up(
    settings: Settings, kafka: KafkaProducer
) -> None:
    last = NOW - 30 * 60_000 - 1000
    stream = Stream([range(1), range(2)], ahead_seconds=-30)
    assert await read(stream, settings, kafka, until=2, first=resume_from(last)) == ids(2)
    since, position = stream.requests
    assert since.startswith("since=")
    assert position == parse_position(sse_id(last)).rewound(REWIND_MS).last_event_id()
