"""Events of a connection into the topics of a real broker."""

from collections.abc import AsyncIterator

import pytest
from kafka import KafkaProducer

from producer.events import EDIT, edit, sse_id
from producer.relay.parts import Parts, parts_of
from producer.topics import Record, TopicReader
from wiki_producer.relay.decide import Rejected, RejectReason
from wiki_producer.relay.heartbeat import received_ms, rfc3339
from wiki_producer.settings import Settings
from wiki_producer.stream.connection import MessageEvent
from wiki_producer.stream.position import After, Live, ResumePoint, Since, parse_position

NOW = received_ms(edit()) or 0
AFTER = After(parse_position(sse_id(NOW)))


def event(number: int, kind: str = "message") -> MessageEvent:
    """An edit with an id of its own, as an event of type `kind`."""
    data = edit(meta={**EDIT["meta"], "id": str(number)})
    return MessageEvent(kind or None, kind, data, "http://stream", sse_id(number))


async def relayed(
    settings: Settings, kafka: KafkaProducer, *events: MessageEvent, point: ResumePoint
) -> tuple[list[Record], Parts]:
    """What reaches the topic of a connection that began at `point`, and the parts that noted it."""

    async def connection() -> AsyncIterator[MessageEvent]:
        for each in events:
            yield each

    parts = parts_of(settings, kafka)
    await parts.relay.run(connection(), point, on_first=lambda: None)
    await parts.publisher.wait_until_acknowledged()
    topic = TopicReader(",".join(settings.kafka_bootstrap_servers), settings.kafka_topic)
    return topic.read(), parts


async def test_only_messages_are_changes(settings: Settings, kafka: KafkaProducer) -> None:
    events = (event(1), event(2, "heartbeat"), event(3, "error"), event(4, ""), event(5, "Message"))
    records, parts = await relayed(settings, kafka, *events, point=AFTER)
    assert [record.event_id for record in records] == ["1", "4"]
    assert (parts.progress.events, parts.progress.last_event_id) == (2, sse_id(4))
    assert (parts.counts.error_events, parts.counts.other_events) == (1, 2)


async def test_each_partition_is_told_where_coverage_begins_before_any_change(
    settings: Settings, kafka: KafkaProducer
) -> None:
    records, parts = await relayed(settings, kafka, event(NOW), event(NOW + 1), point=Since(NOW - 60_000))
    by_partition = {number: [each for each in records if each.partition == number] for number in range(3)}
    for begin, *rest in by_partition.values():
        assert begin.is_heartbeat
        assert begin.headers["covered-from"].decode() == rfc3339(NOW - 60_000)
        assert parse_position(begin.headers["last-event-id"]).timestamp < NOW, "the first event may be lost"
        assert not any(each.is_heartbeat or "covered-from" in each.headers for each in rest)
    assert sum(len(rest) for _, *rest in by_partition.values()) == 2
    assert parts.counts.heartbeats == 3
    assert len({record.event_id for record in records}) == 5


async def test_a_live_start_covers_from_the_first_events_time_on(
    settings: Settings, kafka: KafkaProducer
) -> None:
    records, _ = await relayed(settings, kafka, event(NOW), event(NOW + 1), point=Live())
    told = {each.headers["covered-from"].decode() for each in records if each.is_heartbeat}
    assert told == {EDIT["meta"]["dt"]}


@pytest.mark.parametrize("point", [AFTER, Since(NOW, continues=True)], ids=["after", "since"])
async def test_nothing_is_said_of_coverage_where_it_goes_on(
    settings: Settings, kafka: KafkaProducer, point: ResumePoint
) -> None:
    records, _ = await relayed(settings, kafka, event(NOW), point=point)
    assert [record.is_heartbeat for record in records] == [False]


async def test_coverage_begins_behind_a_rejected_event_that_may_yet_be_lost(
    settings: Settings, kafka: KafkaProducer
) -> None:
    """A gap after which the broker has not taken a rejected event yet."""

    async def connection() -> AsyncIterator[MessageEvent]:
        yield event(NOW)

    parts = parts_of(settings, kafka)
    assert len(parts.publisher.partitions()) == 3, "asked for the first time, the broker is waited for"
    parts.publisher.reject(Rejected("", RejectReason.UNREADABLE, "", b"rubbish"), sse_id(NOW - 1))
    waiting = []
    parts.publisher.beat = lambda *_: waiting.append(parts.in_flight.rejections)  # type: ignore[method-assign]
    await parts.relay.run(connection(), Since(NOW), on_first=lambda: None)
    assert waiting == [0, 0, 0]
    await parts.publisher.wait_until_acknowledged()
