"""Publishes records in order, with a bounded number in flight, and knows what became of each."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from wiki_producer.kafka.in_flight import MOST_BYTES, MOST_RECORDS, InFlight
from wiki_producer.relay.decide import Kept, Rejected

LAST_EVENT_ID: Final = "last-event-id"
REASON: Final = "reason"

Headers = list[tuple[str, bytes]]


class PublishFailed(Exception):
    """A record failed for good: the text names topic, partition and reason."""


class Acknowledgement(Protocol):
    """The part of kafka-python's RecordMetadata that is used."""

    serialized_value_size: int


class Publisher:
    """One thread (the event loop's) publishes; kafka-python's thread reports back.

    Within a partition records are acknowledged in the order in which they were published, and none after one
    that failed. So a restart that resumes after the last record of the topic skips nothing.
    """

    def __init__(
        self,
        producer: KafkaProducer,
        topic: str,
        rejected_topic: str,
        in_flight: InFlight,
        *,
        now_ms: Callable[[], int],
        acknowledged: Callable[[str | None], None] = lambda _dt: None,
    ) -> None:
        """`now_ms` is the time of the records.

        `acknowledged` is called in kafka-python's thread, with the `meta.dt` of each change that arrived.
        """
        self._producer = producer
        self._topic = topic
        self._rejected_topic = rejected_topic
        self._in_flight = in_flight
        self._now_ms = now_ms
        self._note_acknowledged = acknowledged
        self._loop = asyncio.get_running_loop()
        self._progress = asyncio.Event()
        self._wake_at: tuple[int, int] | None = None
        self._ending = False
        self.failure: asyncio.Future[None] = self._loop.create_future()

    @property
    def full(self) -> bool:
        """Whether as much is in flight as may be: `wait_for_capacity` before anything is published."""
        return self._in_flight.full

    @property
    def idle(self) -> bool:
        """Whether all that was published is acknowledged."""
        return self._in_flight.records == 0

    @property
    def blocked_for_changes(self) -> bool:
        """Whether the next change may only be published after `wait_for_capacity`.

        A change that overtook a rejected event would move the topic's position beyond an event that may yet
        be lost.
        """
        return self._in_flight.rejections > 0 or self._in_flight.full

    def publish(self, change: Kept, last_event_id: str) -> None:
        """Hand a change to kafka-python. PublishFailed if it doesn't take it."""
        headers = [(LAST_EVENT_ID, last_event_id.encode())]
        future = self._send(self._topic, change.key, change.value, headers)
        future.add_callback(self._change_acknowledged, change.dt)
        future.add_errback(self._failed, future)

    def partitions(self) -> Sequence[int]:
        """The numbers of the topic's partitions, in order. PublishFailed if the topic is gone."""
        try:
            return sorted(self._producer.partitions_for(self._topic))
        except KafkaError as error:
            raise PublishFailed(f"topic {self._topic}: {type(error).__name__}: {error}") from None

    def beat(self, value: bytes, headers: Headers, partition: int) -> None:
        """Hand a heartbeat for one partition to kafka-python. PublishFailed if it doesn't take it."""
        future = self._send(self._topic, None, value, headers, partition)
        future.add_callback(self._acknowledged)
        future.add_errback(self._failed, future)

    def reject(self, event: Rejected, last_event_id: str) -> None:
        """Hand a rejected event to kafka-python. PublishFailed if it doesn't take it."""
        headers = [(REASON, event.detail.encode("utf-8", "replace")), (LAST_EVENT_ID, last_event_id.encode())]
        self._in_flight.rejections_published += 1
        future = self._send(self._rejected_topic, None, event.value, headers)
        future.add_callback(self._rejection_acknowledged)
        future.add_errback(self._failed, future)

    async def wait_for_capacity(self) -> None:
        """Return when less than half of the bound is in flight and no rejected event is."""
        await self._wait_until_within(MOST_RECORDS // 2, MOST_BYTES // 2)

    async def wait_until_acknowledged(self) -> None:
        """Return when everything is acknowledged."""
        await self._wait_until_within(0, 0)

    def close(self, *, timeout_seconds: float) -> None:
        """End kafka-python's thread. What is not acknowledged by now will not be sent any more."""
        self._end()
        # While the broker is away, close waits in vain for what it has not taken.
        with suppress(KafkaTimeoutError):
            self._producer.close(timeout=timeout_seconds)

    async def _wait_until_within(self, records: int, size: int) -> None:
        while not self._in_flight.within(records, size):
            self._progress.clear()
            self._wake_at = (records, size)
            # The last acknowledgement may have come before it could see `_wake_at`.
            if self._in_flight.within(records, size):
                break
            await self._progress.wait()
        self._wake_at = None

    def _send(
        self, topic: str, key: bytes | None, value: bytes, headers: Headers, partition: int | None = None
    ) -> Any:
        try:
            future = self._producer.send(topic, value, key, headers, partition, self._now_ms())
        except (KafkaError, ValueError) as error:
            raise PublishFailed(f"topic {topic}: {type(error).__name__}: {error}") from None
        self._in_flight.published += 1
        self._in_flight.bytes_published += len(value)
        return future

    # From here on in kafka-python's thread.

    def _acknowledged(self, record: Acknowledgement) -> None:
        self._in_flight.acknowledged += 1
        self._in_flight.bytes_acknowledged += record.serialized_value_size
        wake_at = self._wake_at
        if wake_at is not None and self._in_flight.within(*wake_at):
            self._wake_at = None
            self._loop.call_soon_threadsafe(self._progress.set)

    def _change_acknowledged(self, dt: str | None, record: Acknowledgement) -> None:
        self._note_acknowledged(dt)
        self._acknowledged(record)

    def _rejection_acknowledged(self, record: Acknowledgement) -> None:
        self._in_flight.rejections_acknowledged += 1
        self._acknowledged(record)

    def _failed(self, record: Any, error: KafkaError) -> None:
        if self._ending:
            return
        self._end()
        # The future knows its partition even if the broker no longer knows the topic.
        topic, partition = record._produce_future.topic_partition
        failure = PublishFailed(f"topic {topic} partition {partition}: {type(error).__name__}: {error}")
        self._loop.call_soon_threadsafe(self.failure.set_exception, failure)

    def _end(self) -> None:
        self._ending = True
        # KafkaProducer.close(0) raises before it stops its thread, and a later record would follow.
        self._producer._sender.force_close()
