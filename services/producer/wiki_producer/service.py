"""The producer's life: reach the broker, find the position, relay the stream, end in order."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import structlog
from kafka import KafkaProducer
from kafka.errors import AuthorizationError, KafkaError

from wiki_producer.broker_access import require_access
from wiki_producer.counts import Counts
from wiki_producer.cursor import Cursor
from wiki_producer.decide import Limits, decider
from wiki_producer.event_stream import open_stream, stream_session
from wiki_producer.kafka_client import (
    BrokerUnreachable,
    connect_admin,
    connect_consumer,
    connect_producer,
)
from wiki_producer.kafka_refusal import no_right
from wiki_producer.metrics import registry_of
from wiki_producer.position import After, Live, ResumePoint
from wiki_producer.publisher import Publisher, PublishFailed
from wiki_producer.reconnect import Outage, keep_connected
from wiki_producer.relay import Relay
from wiki_producer.resume import PartitionEnds, TopicMissing, read_ends, resume_point
from wiki_producer.settings import Settings
from wiki_producer.status_server import status_server
from wiki_producer.topic_limits import read_limits
from wiki_producer.watch import ACKNOWLEDGEMENT_SECONDS, Watch

# An attempt to reach the broker can't be interrupted; a stop waits for it.
CONNECT_ATTEMPT_SECONDS = 5.0
# Below the 10 s after which Docker kills.
DRAIN_SECONDS = 6.0
CLOSE_SECONDS = 2.0
# A wiki that is asked for alone may be quiet, but the stream carries all of them.
SILENCE_GRACE_SECONDS = 30.0

log = structlog.get_logger(__name__)
T = TypeVar("T")


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Relay until `stop` is set, then end in order.

    Raises BrokerRefused, BrokerUnreachable, TopicMissing, TopicUnreadable, StreamFatal, PublishFailed,
    PortUsed.
    """
    counts = Counts()
    silence = settings.wiki_stream_idle_timeout.total_seconds() + SILENCE_GRACE_SECONDS
    watch = Watch(counts, silence_seconds=silence)
    async with status_server(settings.bind_address, settings.metrics_port, registry_of(counts), watch):
        stopped = asyncio.create_task(stop.wait())
        work = asyncio.create_task(_work(settings, counts, watch))
        await asyncio.wait({stopped, work}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not work.done():
            work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        if not work.cancelled():
            await work


async def _work(settings: Settings, counts: Counts, watch: Watch) -> None:
    producer, point, limits = await _start(settings, watch)
    publisher = Publisher(producer, settings.kafka_topic, settings.rejected_topic, counts)
    reading = asyncio.create_task(_read(settings, counts, watch, publisher, point, limits))
    observing = asyncio.create_task(_observe(settings, watch))
    try:
        await asyncio.wait({reading, observing, publisher.failure}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (reading, observing):
            task.cancel()
        await asyncio.gather(reading, observing, return_exceptions=True)
        await _finish(publisher, counts)
    for ended in (publisher.failure, reading, observing):
        if ended.done() and not ended.cancelled():
            try:
                ended.result()
            except PublishFailed:
                # A login that is refused while it is renewed fails the records too: then tell that instead.
                await asyncio.to_thread(require_access, settings)
                raise


async def _start(settings: Settings, watch: Watch) -> tuple[KafkaProducer, ResumePoint, Limits]:
    watch.phase = f"waiting for the broker at {','.join(settings.kafka_bootstrap_servers)}"
    ends = await _connect(_read_ends, settings)
    point = resume_point(ends, now_ms=time.time_ns() // 1_000_000, max_age_ms=_max_age_ms(settings))
    limits = await _connect(_read_limits, settings)
    producer = await _connect(_open_producer, settings)
    watch.phase = None
    return producer, point, limits


# Each of these is one call in a thread, so that a stop in between finds no client half in use.


def _read_ends(settings: Settings, timeout_ms: int) -> list[PartitionEnds]:
    consumer = connect_consumer(settings, timeout_ms)
    try:
        ends = read_ends(consumer, settings.kafka_topic)
        if not consumer.partitions_for_topic(settings.rejected_topic):
            raise TopicMissing(f"there is no topic {settings.rejected_topic}: run topic_init first")
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
    said = False
    while True:
        left = deadline - time.monotonic()
        try:
            return await asyncio.to_thread(
                connect, settings, int(1000 * max(0.1, min(left, CONNECT_ATTEMPT_SECONDS)))
            )
        except BrokerUnreachable as error:
            if time.monotonic() >= deadline:
                raise
            if not said:
                log.warning("waiting for the broker", reason=str(error), seconds=round(left))
                said = True


async def _read(
    settings: Settings, counts: Counts, watch: Watch, publisher: Publisher, first: ResumePoint, limits: Limits
) -> None:
    relay = Relay(decider(settings.wiki_domains, limits), publisher, counts)
    outage = Outage(settings.wiki_stream_url)
    watch.stream_error = lambda: outage.reason
    cursor = Cursor(first, max_age_ms=_max_age_ms(settings))
    async with stream_session(settings.wiki_user_agent, settings.wiki_stream_idle_timeout) as session:

        async def read_once(*, read_any: bool) -> None:
            point = cursor.next(counts.last_event_id, read_any=read_any)
            async with open_stream(session, settings.wiki_stream_url, point) as events:
                _say_where(point)
                await relay.run(events, on_first=outage.over)

        await keep_connected(read_once, counts, outage)


def _max_age_ms(settings: Settings) -> int:
    return settings.max_event_age // timedelta(milliseconds=1)


def _say_where(point: ResumePoint) -> None:
    if isinstance(point, Live):
        log.info("reading live: the topic is empty")
    elif isinstance(point, After):
        log.info("resuming", timestamp_ms=point.position.timestamp)
    elif point.gap_from_ms is None:
        log.info("resuming", timestamp_ms=point.timestamp_ms)
    else:
        log.warning(
            "gap: the last position is older than MAX_EVENT_AGE",
            from_ms=point.gap_from_ms,
            to_ms=point.timestamp_ms,
            seconds=(point.timestamp_ms - point.gap_from_ms) / 1000,
        )


async def _observe(settings: Settings, watch: Watch) -> None:
    """Follow the counts. A broker that takes nothing any more may refuse us now: BrokerRefused."""
    checked_at = 0.0
    while True:
        watch.observe()
        waiting = watch.unacknowledged_seconds
        if waiting < ACKNOWLEDGEMENT_SECONDS:
            checked_at = 0.0
        elif waiting - checked_at >= ACKNOWLEDGEMENT_SECONDS:
            checked_at = waiting
            await asyncio.to_thread(require_access, settings)
        await asyncio.sleep(1)


async def _finish(publisher: Publisher, counts: Counts) -> None:
    """Wait for what is in flight, as far as time allows; the rest is read again at the next start."""
    if not publisher.failure.done():
        try:
            await asyncio.wait_for(publisher.drained(), DRAIN_SECONDS)
        except TimeoutError:
            log.warning("not acknowledged in time; the next start reads it again", records=counts.in_flight)
    await asyncio.to_thread(publisher.close, timeout_seconds=CLOSE_SECONDS)
    log.info(
        "stopped",
        read=counts.read,
        published=counts.published,
        acknowledged=counts.acknowledged,
        rejected=counts.rejected.total(),
        last_event_id=counts.last_event_id,
    )
