"""Heartbeats into the topic of a real broker."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count

from kafka import KafkaProducer

from producer.events import edit, sse_id
from producer.relay.parts import Parts, parts_of
from producer.topics import TopicReader
from wiki_producer.relay.heartbeat import received_ms
from wiki_producer.settings import Settings
from wiki_producer.stream.connection import MessageEvent
from wiki_producer.stream.position import After, parse_position

NOW = received_ms(edit()) or 0


async def beat(parts: Parts, looks: int, *, newer: bool = True) -> None:
    """Let the heart look so often, each time long after the last record, and with something `newer` read."""
    numbers = iter(range(looks))

    async def sleep(_seconds: float) -> None:
        number = next(numbers, None)
        if number is None:
            raise asyncio.CancelledError
        if parts.counts.heartbeats:
            await parts.publisher.wait_until_acknowledged()
        if newer:
            parts.progress.last_event_id, parts.progress.last_data = sse_id(NOW + number), edit()

    task = asyncio.create_task(parts.heart.beat(sleep))
    await asyncio.wait({task})
    assert task.cancelled()


async def test_each_partition_is_told_how_far_the_stream_was_read(
    settings: Settings, kafka: KafkaProducer
) -> None:
    parts = parts_of(settings, kafka, monotonic=count(step=10).__next__)
    await beat(parts, 2)
    await parts.publisher.wait_until_acknowledged()
    records = TopicReader(",".join(settings.kafka_bootstrap_servers), settings.kafka_topic).read()
    found = [(each.partition, each.headers, each.is_heartbeat) for each in records]
    expected = [
        (number, {"last-event-id": sse_id(NOW + look).encode()}, True)
        for number in range(3)
        for look in range(2)
    ]
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert parts.counts.heartbeats == 6


async def test_no_partition_is_told_before_all_that_was_published_is_acknowledged(
    settings: Settings, kafka: KafkaProducer
) -> None:
    """A record may wait for the leader of another partition."""
    parts = parts_of(settings, kafka, monotonic=count(step=10).__next__)
    parts.in_flight.published += 1
    await beat(parts, 1)
    assert parts.counts.heartbeats == 0
    parts.in_flight.acknowledged += 1
    await beat(parts, 1)
    assert parts.counts.heartbeats == 3
    await parts.publisher.wait_until_acknowledged()


async def test_a_change_tells_how_far_was_read_and_needs_no_heartbeat(
    settings: Settings, kafka: KafkaProducer
) -> None:
    async def connection() -> AsyncIterator[MessageEvent]:
        yield MessageEvent("message", "message", edit(), "http://stream", sse_id(NOW))

    parts = parts_of(settings, kafka, monotonic=count(step=10).__next__)
    await parts.relay.run(connection(), After(parse_position(sse_id(NOW))), on_first=lambda: None)
    await parts.publisher.wait_until_acknowledged()
    await beat(parts, 1, newer=False)
    assert parts.counts.heartbeats == 0
