"""From the stream's events to published records: decide on each, and keep the position."""

from collections.abc import AsyncIterator, Callable

import structlog

from wiki_producer.counts import Counts
from wiki_producer.decide import Decision, Dropped, Kept, Rejected
from wiki_producer.event_stream import MessageEvent
from wiki_producer.publisher import Publisher
from wiki_producer.recently_published import RecentlyPublished

# The rewind of a reconnect covers 2 s; the fastest backlog measured is some 20,000 events/s.
REMEMBERED_IDS = 100_000

log = structlog.get_logger(__name__)


class Relay:
    """Lives as long as the process; `run` once per connection."""

    def __init__(self, decide: Callable[[str], Decision], publisher: Publisher, counts: Counts) -> None:
        self._decide = decide
        self._publisher = publisher
        self._counts = counts
        self._published = RecentlyPublished(REMEMBERED_IDS)

    async def run(self, events: AsyncIterator[MessageEvent], on_first: Callable[[], None]) -> None:
        """Publish what is wanted of `events`, at the pace that the broker acknowledges.

        `on_first` is called at the first event. `counts.last_event_id` is that of the last event dealt with.
        Raises what `events` raises, and PublishFailed.
        """
        counts = self._counts
        begun = False
        async for event in events:
            if not begun:
                begun = True
                on_first()
            if event.message == "error":
                counts.error_events += 1
                log.warning("error event from the stream", data=event.data[:500])
                continue
            counts.read += 1
            await self._take(event)
            counts.last_event_id = event.last_event_id

    async def _take(self, event: MessageEvent) -> None:
        counts, publisher = self._counts, self._publisher
        decision = self._decide(event.data)
        if isinstance(decision, Kept):
            if decision.event_id in self._published:
                counts.already_published += 1
                return
            if publisher.must_wait:
                await publisher.room()
            publisher.publish(decision, event.last_event_id)
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
            await publisher.room()
        publisher.reject(decision, last_event_id)
        self._published.add(event_id)
        counts.rejected[decision.reason] += 1
        log.warning("event rejected", reason=decision.detail, last_event_id=last_event_id)
