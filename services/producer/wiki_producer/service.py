"""The producer's life: start, relay the stream until told to stop, end in order."""

import asyncio
import math
import time
from typing import Final

import structlog
from kafka import KafkaProducer

from wiki_common.health.server import status_server
from wiki_common.summary import Summary
from wiki_producer.kafka.in_flight import InFlight
from wiki_producer.kafka.probe import require_access
from wiki_producer.kafka.publisher import Publisher, PublishFailed
from wiki_producer.relay.decide import decider
from wiki_producer.relay.heart import Heart
from wiki_producer.relay.heartbeat import Heartbeats
from wiki_producer.relay.reading import read_stream
from wiki_producer.relay.relay import Relay
from wiki_producer.settings import Settings
from wiki_producer.startup import prepare
from wiki_producer.status.counts import Counts
from wiki_producer.status.freshness import Freshness
from wiki_producer.status.hints import domains_hint, user_agent_hint
from wiki_producer.status.metrics import registry_of
from wiki_producer.status.watch import ACKNOWLEDGEMENT_SECONDS, Watch
from wiki_producer.stream.clock import StreamClock
from wiki_producer.stream.outage import Outage
from wiki_producer.stream.position import timestamp_of
from wiki_producer.stream.progress import Progress

# Below the 10 s after which Docker kills.
_DRAIN_SECONDS: Final = 6.0
_CLOSE_SECONDS: Final = 2.0
# The stream carries all wikis: it is never silent for long, however quiet the wanted ones are.
_SILENCE_GRACE_SECONDS: Final = 30.0
_LOG_SKEW_SECONDS: Final = 60.0

log = structlog.get_logger(__name__)


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Relay until `stop` is set, then end in order.

    Raises BrokerRefused, BrokerUnreachable, TopicMissing, TopicUnreadable, StreamFatal, PublishFailed,
    PortInUse.
    """
    service = _Service(settings)
    registry = registry_of(
        service.progress, service.in_flight, service.counts, service.clock, service.freshness
    )
    watch = service.watch
    with status_server(
        settings.bind_address, settings.metrics_port, registry, watch.reasons, notes=watch.notes
    ):
        stopped = asyncio.create_task(stop.wait())
        work = asyncio.create_task(service.work())
        await asyncio.wait({stopped, work}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not work.done():
            work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        if not work.cancelled():
            await work


class _Service:
    """One run, and what it tells of itself."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._outage = Outage(settings.wiki_stream_url)
        self.progress = Progress()
        self.in_flight = InFlight()
        self.counts = Counts()
        self.clock = StreamClock()
        self.freshness = Freshness(self.clock.now)
        self._skew_logged_at = -math.inf
        self._summary = Summary(log, "stream relayed", self._counted, self._state)
        silence = settings.wiki_stream_idle_timeout.total_seconds() + _SILENCE_GRACE_SECONDS
        self.watch = Watch(
            self.progress,
            self.in_flight,
            silence_seconds=silence,
            stream_error=lambda: self._outage.reason,
            skew_seconds=lambda: self.clock.skew_seconds,
        )

    async def work(self) -> None:
        """Start, then relay until cancelled or until something fails for good."""
        settings = self._settings
        if hint := user_agent_hint(settings):
            log.warning(hint)
        self.watch.phase = f"waiting for the broker at {','.join(settings.kafka_bootstrap_servers)}"
        start = await prepare(settings)
        self.watch.phase = None
        publisher = self._publisher(start.producer)
        heart = Heart(Heartbeats(self.clock.now_ms), publisher, self.progress, self.counts)
        decide = decider(settings.wiki_domains, start.limits)
        relay = Relay(decide, publisher, heart, self.progress, self.counts)
        reading = read_stream(
            settings, start.first, relay, self.progress, self.counts, self._outage, self.clock
        )
        tasks: list[asyncio.Future[None]] = [
            asyncio.create_task(each) for each in (reading, self._observe(), heart.beat())
        ]
        try:
            await asyncio.wait({*tasks, publisher.failure}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._finish(publisher)
        for ended in (publisher.failure, *tasks):
            if ended.done() and not ended.cancelled():
                await self._raise_failure(ended)

    def _publisher(self, producer: KafkaProducer) -> Publisher:
        topic, rejected = self._settings.kafka_topic, self._settings.rejected_topic
        return Publisher(
            producer,
            topic,
            rejected,
            self.in_flight,
            now_ms=self.clock.now_ms,
            acknowledged=self.freshness.acknowledged,
        )

    async def _raise_failure(self, ended: asyncio.Future[None]) -> None:
        try:
            ended.result()
        except PublishFailed:
            # A login that is refused when it is renewed fails the records too: then BrokerRefused says more.
            await asyncio.to_thread(require_access, self._settings)
            raise

    async def _observe(self) -> None:
        """Look at what moves. BrokerRefused if a broker that takes nothing any more refuses us now."""
        checked_at = 0.0
        hinted = False
        while True:
            self.watch.observe()
            self._observe_clock()
            self._summary.look()
            hint = domains_hint(self._settings, self.progress, self.counts)
            if hint is not None and not hinted:
                log.warning(hint)
                hinted = True
            waiting = self.watch.unacknowledged_seconds
            if waiting < ACKNOWLEDGEMENT_SECONDS:
                checked_at = 0.0
            elif waiting - checked_at >= ACKNOWLEDGEMENT_SECONDS:
                checked_at = waiting
                await asyncio.to_thread(require_access, self._settings)
            await asyncio.sleep(1)

    def _observe_clock(self) -> None:
        self.clock.looked_at(timestamp_of(self.progress.last_event_id))
        now = time.monotonic()
        for text in self.watch.skew():
            if now - self._skew_logged_at >= _LOG_SKEW_SECONDS:
                self._skew_logged_at = now
                log.warning(text)

    def _counted(self) -> dict[str, int]:
        counts = self.counts
        return {
            "read": self.progress.events,
            "kept": counts.kept,
            "dropped": counts.dropped.total(),
            "rejected": counts.rejected.total(),
            "heartbeats": counts.heartbeats,
            "reconnects": counts.reconnects.total(),
        }

    def _state(self) -> dict[str, object]:
        read_until = timestamp_of(self.progress.last_event_id)
        behind = None if read_until is None else round(self.clock.now() - read_until / 1000, 1)
        return {"behind_seconds": behind, "in_flight": self.in_flight.records}

    async def _finish(self, publisher: Publisher) -> None:
        """Wait for what is in flight, as far as time allows; the rest is read again at the next start."""
        if not publisher.failure.done():
            try:
                await asyncio.wait_for(publisher.wait_until_acknowledged(), _DRAIN_SECONDS)
            except TimeoutError:
                log.warning(
                    "not acknowledged in time; the next start reads it again", records=self.in_flight.records
                )
        await asyncio.to_thread(publisher.close, timeout_seconds=_CLOSE_SECONDS)
        log.info(
            "stopped",
            read=self.progress.events,
            published=self.in_flight.published,
            acknowledged=self.in_flight.acknowledged,
            rejected=self.counts.rejected.total(),
            last_event_id=self.progress.last_event_id,
        )
