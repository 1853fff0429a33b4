"""The stream, connection after connection, into the relay."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Final, NoReturn

import structlog

from wiki_producer.relay.relay import Relay
from wiki_producer.settings import Settings
from wiki_producer.status.counts import Counts
from wiki_producer.stream.backoff import Backoff
from wiki_producer.stream.clock import StreamClock
from wiki_producer.stream.connection import MessageEvent, StreamRefused, open_stream, stream_session
from wiki_producer.stream.cursor import Cursor
from wiki_producer.stream.outage import Outage
from wiki_producer.stream.position import After, Live, ResumePoint, Since
from wiki_producer.stream.progress import Progress
from wiki_producer.stream.proxy import proxy_for_stream
from wiki_producer.stream.reconnect import keep_connected

_LOG_EVERY_SECONDS: Final = 60.0

log = structlog.get_logger(__name__)


async def read_stream(
    settings: Settings,
    first: Callable[[int], ResumePoint],
    relay: Relay,
    progress: Progress,
    counts: Counts,
    outage: Outage,
    clock: StreamClock,
) -> NoReturn:
    """Relay the stream for ever, from `first` of the stream's time (ms) on. StreamFatal, PublishFailed."""
    max_age_ms = settings.max_event_age // timedelta(milliseconds=1)
    cursor = Cursor(first, max_age_ms=max_age_ms, now_ms=clock.now_ms)
    beginnings = _BeginningLog()
    async with stream_session(settings.wiki_user_agent, proxy_for_stream(settings)) as session:

        def connect(point: ResumePoint) -> AbstractAsyncContextManager[AsyncIterator[MessageEvent]]:
            idle = settings.wiki_stream_idle_timeout
            return open_stream(session, settings.wiki_stream_url, point, idle, answered=clock.answered)

        async def read_once(*, read_any: bool, position_refused: bool) -> None:
            point = cursor.next(progress.last_event_id, read_any=read_any, position_refused=position_refused)
            # The first answer may show that our clock is wrong, and the point with it. A time in the stream's
            # future may be refused.
            corrected = None
            try:
                async with connect(point) as events:
                    corrected = cursor.corrected(progress.last_event_id)
                    if corrected is None:
                        await relay_from(point, events)
            except StreamRefused:
                corrected = cursor.corrected(progress.last_event_id)
                if corrected is None:
                    raise
            if corrected is not None:
                async with connect(corrected) as events:
                    await relay_from(corrected, events)

        async def relay_from(point: ResumePoint, events: AsyncIterator[MessageEvent]) -> None:
            beginnings.connected(point)
            await relay.run(events, point, on_first=outage.over)

        await keep_connected(read_once, progress, counts, outage, backoff=Backoff())


class _BeginningLog:
    """Logs where reading begins: another kind of beginning or another gap at once, the rest once a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: tuple[object, ...] = ()
        self._logged_at = 0.0

    def connected(self, point: ResumePoint) -> None:
        kind = (type(point), point.gap_from_ms if isinstance(point, Since) else None)
        if kind == self._last and self._clock() - self._logged_at < _LOG_EVERY_SECONDS:
            return
        self._last, self._logged_at = kind, self._clock()
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
