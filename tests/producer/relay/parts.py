"""What stands between the stream and the topics, wired as the service wires it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from kafka import KafkaProducer

from wiki_producer.kafka.in_flight import InFlight
from wiki_producer.kafka.publisher import Publisher
from wiki_producer.relay.decide import decider
from wiki_producer.relay.heart import Heart
from wiki_producer.relay.heartbeat import Heartbeats
from wiki_producer.relay.relay import Relay
from wiki_producer.settings import Settings
from wiki_producer.status.counts import Counts
from wiki_producer.stream.clock import StreamClock
from wiki_producer.stream.progress import Progress


@dataclass(frozen=True)
class Parts:
    progress: Progress
    in_flight: InFlight
    counts: Counts
    clock: StreamClock
    publisher: Publisher
    heart: Heart
    relay: Relay


def parts_of(
    settings: Settings, kafka: KafkaProducer, *, monotonic: Callable[[], float] = time.monotonic
) -> Parts:
    """All wikis are wanted; `monotonic` is the clock of the heartbeats."""
    progress, in_flight, counts, clock = Progress(), InFlight(), Counts(), StreamClock()
    publisher = Publisher(
        kafka, settings.kafka_topic, settings.rejected_topic, in_flight, now_ms=clock.now_ms
    )
    heart = Heart(Heartbeats(clock.now_ms, monotonic), publisher, progress, counts)
    relay = Relay(decider(["*"]), publisher, heart, progress, counts)
    return Parts(progress, in_flight, counts, clock, publisher, heart, relay)
