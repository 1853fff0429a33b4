"""A start: reach the broker, find the position in the topic, open the producer."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

import structlog
from kafka import KafkaProducer
from kafka.errors import AuthorizationError, KafkaError

from wiki_common.kafka.errors import no_right
from wiki_producer.kafka.client import BrokerUnreachable, connect_admin, connect_consumer, connect_producer
from wiki_producer.kafka.topic_ends import TopicMissing, read_ends
from wiki_producer.kafka.topic_limits import read_limits
from wiki_producer.relay.decide import Limits
from wiki_producer.settings import Settings
from wiki_producer.stream.position import ResumePoint
from wiki_producer.stream.resume import PartitionEnds, resume_point

# An attempt to reach the broker can't be interrupted; a stop waits for it.
_ATTEMPT_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Start:
    """What a start has found out: where to read the stream from, and how to publish.

    `first` gives the point for a time (ms): what is too old depends on it, and the stream's is not known yet.
    """

    producer: KafkaProducer
    first: Callable[[int], ResumePoint]
    limits: Limits


async def prepare(settings: Settings) -> Start:
    """Wait for the broker, at most KAFKA_CONNECT_TIMEOUT for each step.

    Raises BrokerRefused, BrokerUnreachable, TopicMissing, TopicUnreadable.
    """
    ends = await _connect(_read_ends, settings)
    limits = await _connect(_read_limits, settings)
    max_age_ms = settings.max_event_age // timedelta(milliseconds=1)

    def first(now_ms: int) -> ResumePoint:
        return resume_point(ends, now_ms=now_ms, max_age_ms=max_age_ms)

    return Start(await _connect(_open_producer, settings), first, limits)


# Each of these is one call in a thread, so that a stop never leaves a client behind half in use.


def _read_ends(settings: Settings, timeout_ms: int) -> list[PartitionEnds]:
    consumer = connect_consumer(settings, timeout_ms)
    try:
        ends = read_ends(consumer, settings.kafka_topic)
        if not consumer.partitions_for_topic(settings.rejected_topic):
            raise TopicMissing(settings.rejected_topic)
        return ends
    except AuthorizationError:
        raise no_right(settings.kafka_topic, settings) from None
    except KafkaError as error:
        raise BrokerUnreachable(f"the end of topic {settings.kafka_topic} can't be read: {error}") from None
    finally:
        consumer.close()


def _read_limits(settings: Settings, timeout_ms: int) -> Limits:
    admin = connect_admin(settings, timeout_ms)
    try:
        return read_limits(admin, settings.kafka_topic, settings.rejected_topic)
    finally:
        admin.close()


def _open_producer(settings: Settings, timeout_ms: int) -> KafkaProducer:
    producer = connect_producer(settings, timeout_ms)
    try:
        for topic in (settings.kafka_topic, settings.rejected_topic):
            producer.partitions_for(topic)
    except KafkaError as error:
        producer.close(timeout=0)
        raise BrokerUnreachable(f"the broker does not tell of the topics: {error}") from None
    return producer


async def _connect(connect: Callable[[Settings, int], T], settings: Settings) -> T:
    deadline = time.monotonic() + settings.kafka_connect_timeout.total_seconds()
    logged = False
    while True:
        left = deadline - time.monotonic()
        try:
            return await asyncio.to_thread(
                connect, settings, int(1000 * max(0.1, min(left, _ATTEMPT_SECONDS)))
            )
        except BrokerUnreachable as error:
            if time.monotonic() >= deadline:
                raise
            if not logged:
                log.warning("waiting for the broker", reason=str(error), seconds=round(left))
                logged = True
