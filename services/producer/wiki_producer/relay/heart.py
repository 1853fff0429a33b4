"""Sends heartbeats: while no change is published, and where the stream is not read without a gap."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NoReturn

import structlog

from wiki_common.kafka.heartbeat import COVERED_FROM_HEADER
from wiki_producer.kafka.publisher import LAST_EVENT_ID, Publisher
from wiki_producer.relay.heartbeat import Heartbeat, Heartbeats, rfc3339
from wiki_producer.status.counts import Counts
from wiki_producer.stream.connection import MessageEvent
from wiki_producer.stream.position import Live, Since
from wiki_producer.stream.progress import Progress

_LOOK_SECONDS: Final = 0.1

log = structlog.get_logger(__name__)


class Heart:
    """Used by the event loop's thread only."""

    def __init__(
        self, heartbeats: Heartbeats, publisher: Publisher, progress: Progress, counts: Counts
    ) -> None:
        self._heartbeats = heartbeats
        self._publisher = publisher
        self._progress = progress
        self._counts = counts

    async def beat(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> NoReturn:
        """Send heartbeats for ever, each when it is due. PublishFailed if kafka-python doesn't take one."""
        while True:
            await sleep(_LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Send heartbeats if they are due."""
        # A record that is not acknowledged may still be lost. Until it is, no heartbeat in any partition may
        # say that everything before it is in the topic.
        if self._publisher.idle and (heartbeat := self._heartbeats.due(self._progress)):
            self._send(heartbeat, self._heartbeats.turn(self._publisher.partitions()))

    def published(self, last_event_id: str) -> None:
        """A change has just been published."""
        self._heartbeats.published(last_event_id)

    async def begin(self, point: Live | Since, first: MessageEvent) -> None:
        """Tell all partitions from when on the stream is read, before its `first` event is published."""
        if self._publisher.blocked_for_changes:
            await self._publisher.wait_for_capacity()
        heartbeat = self._heartbeats.begun(point, first.data, first.last_event_id)
        self._send(heartbeat, self._publisher.partitions())

    def _send(self, heartbeat: Heartbeat, partitions: Sequence[int]) -> None:
        headers = [(LAST_EVENT_ID, heartbeat.last_event_id.encode())]
        if heartbeat.covered_from_ms is not None:
            covered_from = rfc3339(heartbeat.covered_from_ms)
            headers.append((COVERED_FROM_HEADER, covered_from.encode()))
            log.info("coverage begins", covered_from=covered_from)
        for partition in partitions:
            self._publisher.beat(heartbeat.value(), headers, partition)
        self._counts.heartbeats += len(partitions)
