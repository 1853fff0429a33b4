"""The stream, connection after connection, into the relay."""

from datetime import timedelta
from typing import NoReturn

import structlog

from wiki_producer.relay.relay import Relay
from wiki_producer.settings import Settings
from wiki_producer.status.counts import Counts
from wiki_producer.stream.connection import open_stream, stream_session
from wiki_producer.stream.cursor import Cursor
from wiki_producer.stream.position import After, Live, ResumePoint
from wiki_producer.stream.progress import Progress
from wiki_producer.stream.reconnect import Outage, keep_connected

log = structlog.get_logger(__name__)


async def read_stream(
    settings: Settings, first: ResumePoint, relay: Relay, progress: Progress, counts: Counts, outage: Outage
) -> NoReturn:
    """Relay the stream from `first` on, for ever. Raises StreamFatal, PublishFailed."""
    cursor = Cursor(first, max_age_ms=settings.max_event_age // timedelta(milliseconds=1))
    async with stream_session(settings.wiki_user_agent, settings.wiki_stream_idle_timeout) as session:

        async def read_once(*, read_any: bool) -> None:
            point = cursor.next(progress.last_event_id, read_any=read_any)
            async with open_stream(session, settings.wiki_stream_url, point) as events:
                _log_where(point)
                await relay.run(events, on_first=outage.over)

        await keep_connected(read_once, progress, counts, outage)


def _log_where(point: ResumePoint) -> None:
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
