"""Publishes records in order, with a bounded number in flight, and knows what became of each."""

import asyncio
from contextlib import suppress
from typing import Any, Protocol

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from wiki_producer.counts import Counts
from wiki_producer.decide import Kept, Rejected

LAST_EVENT_ID = "last-event-id"
REASON = "reason"
MOST_IN_FLIGHT = 20_000
MOST_BYTES_IN_FLIGHT = 64 * 1024 * 1024


class PublishFailed(Exception):
    """A record failed for good: the text names topic, partition and reason."""


class Acknowledgement(Protocol):
    """The part of kafka-python's RecordMetadata that is used."""

    serialized_key_size: int
    serialized_value_size: int


class Publisher:
    """One thread (the event loop's) publishes; kafka-python's thread reports back.

    Within a partition records are acknowledged in the order they were published, and none after one that
    failed: so a restart that resumes behind the last record of the topic passes nothing over.
    """

    def __init__(self, producer: KafkaProducer, topic: str, rejected_topic: str, counts: Counts) -> None:
        self._producer = producer
        self._topic = topic
        self._rejected_topic = rejected_topic
        self._counts = counts
        self._loop = asyncio.get_running_loop()
        self._progress = asyncio.Event()
        self._wake_at: tuple[int, int] | None = None
        self._rejections = 0
        self._rejections_acknowledged = 0
        self._ending = False
        self.failure: asyncio.Future[None] = self._loop.create_future()

    @property
    def full(self) -> bool:
        """Whether the stream must not be read on before `room`."""
        counts = self._counts
        return counts.in_flight >= MOST_IN_FLIGHT or counts.in_flight_bytes >= MOST_BYTES_IN_FLIGHT

    @property
    def must_wait(self) -> bool:
        """Whether the next change may not be published before `room`.

        A change that overtakes a rejected event moves the topic's position beyond it while it can be lost.
        """
        return self._rejections > self._rejections_acknowledged or self.full

    def publish(self, change: Kept, last_event_id: str) -> None:
        """Hand a change to kafka-python. PublishFailed when it won't have it."""
        headers = [(LAST_EVENT_ID, last_event_id.encode())]
        future = self._send(self._topic, change.key, change.value, headers)
        future.add_callback(self._acknowledged)
        future.add_errback(self._failed, future)

    def reject(self, event: Rejected, last_event_id: str) -> None:
        """Hand a rejected event to kafka-python. PublishFailed when it won't have it."""
        headers = [(REASON, event.detail.encode("utf-8", "replace")), (LAST_EVENT_ID, last_event_id.encode())]
        self._rejections += 1
        future = self._send(self._rejected_topic, None, event.value, headers)
        future.add_callback(self._rejection_acknowledged)
        future.add_errback(self._failed, future)

    async def room(self) -> None:
        """Return when less than half of the bound is in flight and no rejected event is."""
        await self._until(MOST_IN_FLIGHT // 2, MOST_BYTES_IN_FLIGHT // 2)

    async def drained(self) -> None:
        """Return when everything is acknowledged."""
        await self._until(0, 0)

    def close(self, *, timeout_seconds: float) -> None:
        """End kafka-python's thread. What is not acknowledged by now will not be sent any more."""
        self._end()
        # What a broker that is away has not taken makes the close's own flush run out of time.
        with suppress(KafkaTimeoutError):
            self._producer.close(timeout=timeout_seconds)

    async def _until(self, records: int, size: int) -> None:
        while not self._within(records, size):
            self._progress.clear()
            self._wake_at = (records, size)
            if self._within(records, size):
                break
            await self._progress.wait()
        self._wake_at = None

    def _within(self, records: int, size: int) -> bool:
        counts = self._counts
        return (
            counts.in_flight <= records
            and counts.in_flight_bytes <= size
            and self._rejections == self._rejections_acknowledged
        )

    def _send(self, topic: str, key: bytes | None, value: bytes, headers: list[tuple[str, bytes]]) -> Any:
        try:
            future = self._producer.send(topic, value, key, headers)
        except (KafkaError, ValueError) as error:
            raise PublishFailed(f"topic {topic}: {type(error).__name__}: {error}") from None
        self._counts.published += 1
        self._counts.published_bytes += len(value)
        return future

    # From here on in kafka-python's thread.

    def _acknowledged(self, record: Acknowledgement) -> None:
        self._settled(record.serialized_value_size)

    def _rejection_acknowledged(self, record: Acknowledgement) -> None:
        self._rejections_acknowledged += 1
        self._settled(record.serialized_value_size)

    def _settled(self, value_bytes: int) -> None:
        self._counts.acknowledged += 1
        self._counts.acknowledged_bytes += value_bytes
        wake_at = self._wake_at
        if wake_at is not None and self._within(*wake_at):
            self._wake_at = None
            self._loop.call_soon_threadsafe(self._progress.set)

    def _failed(self, record: Any, error: KafkaError) -> None:
        if self._ending:
            return
        self._end()
        # Known here even if the broker no longer tells of the topic.
        topic, partition = record._produce_future.topic_partition
        failure = PublishFailed(f"topic {topic} partition {partition}: {type(error).__name__}: {error}")
        self._loop.call_soon_threadsafe(self.failure.set_exception, failure)

    def _end(self) -> None:
        self._ending = True
        # KafkaProducer.close(0) raises before it stops its thread, and a later record would follow.
        self._producer._sender.force_close()
