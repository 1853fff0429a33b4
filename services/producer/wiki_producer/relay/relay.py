"""From the stream's events to published records: decide on each, and keep the position."""

from collections.abc import AsyncIterator, Callable
from typing import Final

import structlog

from wiki_producer.kafka.publisher import Publisher
from wiki_producer.relay.decide import Decision, Dropped, Kept, Rejected
from wiki_producer.relay.heart import Heart
from wiki_producer.relay.recently_published import RecentlyPublished
from wiki_producer.status.counts import Counts
from wiki_producer.stream.connection import MessageEvent
from wiki_producer.stream.position import ResumePoint, begins_anew
from wiki_producer.stream.progress import Progress

# The rewind of a reconnect covers 2 s; the fastest backlog measured is some 20,000 events/s.
REMEMBERED_IDS: Final = 100_000
# An event without a type is a message.
_CHANGE_TYPES: Final = frozenset({"message", ""})

log = structlog.get_logger(__name__)


class Relay:
    """Lives as long as the process; `run` is called once per connection."""

    def __init__(
        self,
        decide: Callable[[str], Decision],
        publisher: Publisher,
        heart: Heart,
        progress: Progress,
        counts: Counts,
    ) -> None:
        self._decide = decide
        self._publisher = publisher
        self._heart = heart
        self._progress = progress
        self._counts = counts
        self._published = RecentlyPublished(REMEMBERED_IDS)

    async def run(
        self, events: AsyncIterator[MessageEvent], point: ResumePoint, on_first: Callable[[], None]
    ) -> None:
        """Publish what is wanted of `events`, which begin at `point`, as fast as the broker acknowledges.

        `on_first` is called at the first event. Raises what `events` raises, and PublishFailed.
        """
        beginning = point if begins_anew(point) else None
        progress = self._progress
        begun = False
        async for event in events:
            if not begun:
                begun = True
                on_first()
            if event.message not in _CHANGE_TYPES:
                self._note_other(event)
                continue
            progress.events += 1
            if beginning is not None:
                await self._heart.begin(beginning, event)
                beginning = None
            await self._relay(event)
            progress.last_event_id, progress.last_data = event.last_event_id, event.data

    def _note_other(self, event: MessageEvent) -> None:
        if event.message == "error":
            self._counts.error_events += 1
            log.warning("error event from the stream", data=event.data[:500])
        else:
            self._counts.other_events += 1
            log.debug("event of another type", type=event.message[:100])

    async def _relay(self, event: MessageEvent) -> None:
        counts, publisher = self._counts, self._publisher
        decision = self._decide(event.data)
        if isinstance(decision, Kept):
            if decision.event_id in self._published:
                counts.already_published += 1
                return
            if publisher.blocked_for_changes:
                await publisher.wait_for_capacity()
            publisher.publish(decision, event.last_event_id)
            self._heart.published(event.last_event_id)
            self._published.add(decision.event_id)
            counts.kept += 1
        elif isinstance(decision, Dropped):
            counts.dropped[decision.reason] += 1
        else:
            await self._reject(decision, event.last_event_id)

    async def _reject(self, decision: Rejected, last_event_id: str) -> None:
        counts, publisher = self._counts, self._publisher
        # Two unreadable events may well have the same bytes.
        event_id = f"{decision.digest} {last_event_id}"
        if event_id in self._published:
            counts.already_published += 1
            return
        if publisher.full:
            await publisher.wait_for_capacity()
        publisher.reject(decision, last_event_id)
        self._published.add(event_id)
        counts.rejected[decision.reason] += 1
        log.warning("event rejected", reason=decision.detail, last_event_id=last_event_id)
