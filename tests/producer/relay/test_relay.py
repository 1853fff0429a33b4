"""Events of a connection into the topics of a real broker."""

import json
from collections.abc import AsyncIterator

from kafka import KafkaProducer

from producer.events import EDIT, edit, sse_id
from producer.topics import TopicReader
from wiki_producer.kafka.in_flight import InFlight
from wiki_producer.kafka.publisher import Publisher
from wiki_producer.relay.decide import decider
from wiki_producer.relay.relay import Relay
from wiki_producer.settings import Settings
from wiki_producer.status.counts import Counts
from wiki_producer.stream.connection import MessageEvent
from wiki_producer.stream.progress import Progress


def event(number: int, kind: str = "message") -> MessageEvent:
    """An edit with an id of its own, as an event of type `kind`."""
    data = edit(meta={**EDIT["meta"], "id": str(number)})
    return MessageEvent(kind or None, kind, data, "http://stream", sse_id(number))


async def relayed(
    settings: Settings, kafka: KafkaProducer, *events: MessageEvent
) -> tuple[list[str], Progress, Counts]:
    """The ids that reach the topic, and what was noted."""

    async def connection() -> AsyncIterator[MessageEvent]:
        for each in events:
            yield each

    progress, in_flight, counts = Progress(), InFlight(), Counts()
    publisher = Publisher(kafka, settings.kafka_topic, settings.rejected_topic, in_flight)
    relay = Relay(decider(["*"]), publisher, progress, counts)
    await relay.run(connection(), on_first=lambda: None)
    await publisher.wait_until_acknowledged()
    topic = TopicReader(",".join(settings.kafka_bootstrap_servers), settings.kafka_topic)
    return [json.loads(record.value)["meta"]["id"] for record in topic.read()], progress, counts


async def test_only_messages_are_changes(settings: Settings, kafka: KafkaProducer) -> None:
    found, progress, counts = await relayed(
        settings, kafka, event(1), event(2, "heartbeat"), event(3, "error"), event(4, ""), event(5, "Message")
    )
    assert found == ["1", "4"]
    assert (progress.events, progress.last_event_id) == (2, sse_id(4))
    assert (counts.error_events, counts.other_events) == (1, 2)
