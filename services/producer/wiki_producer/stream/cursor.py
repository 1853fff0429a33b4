"""Where each connection of one process begins: before the last event read, so that none is skipped."""

import time
from collections.abc import Callable

import structlog

from wiki_producer.stream.position import (
    REWIND_MS,
    SHORTEST_REWIND_MS,
    After,
    Live,
    ResumePoint,
    Since,
    UnreadablePosition,
    parse_position,
    resume_after,
)

log = structlog.get_logger(__name__)


def rewind_for(covered_ms: int) -> int:
    """How far to go back after a connection that covered `covered_ms` of the stream's time.

    At most half of it: a server that ends every connection before the full rewind is covered would otherwise
    be asked for the same events for ever.
    """
    return max(SHORTEST_REWIND_MS, min(REWIND_MS, covered_ms // 2))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Cursor:
    """`first` is the resume point that the topic gives; times are ms since the epoch."""

    def __init__(self, first: ResumePoint, *, max_age_ms: int, clock: Callable[[], int] = _now_ms) -> None:
        self._point = first
        self._began = clock()
        self._max_age_ms = max_age_ms
        self._clock = clock
        self._rewind_ms = REWIND_MS
        self._connected_before = False
        self._refused_id: str | None = None

    def next(self, last_event_id: str, *, read_any: bool, position_refused: bool) -> ResumePoint:
        """Where to connect now.

        `last_event_id` is that of the last event that was relayed ("": none yet), `read_any` says whether the
        connection before brought events, `position_refused` whether its Last-Event-ID was refused.
        """
        now = self._clock()
        if position_refused:
            self._refused_id = last_event_id
        if last_event_id:
            self._point = self._before(last_event_id, now, read_any=read_any)
        elif isinstance(self._point, Live) and self._connected_before:
            # Events that came since the first attempt are wanted too.
            self._point = Since(max(self._began, now - self._max_age_ms))
        self._connected_before = True
        if isinstance(self._point, After) and last_event_id == self._refused_id:
            # Other partitions may not have been read as far as the newest time of the position.
            self._point = Since(max(self._point.position.oldest_timestamp, now - self._max_age_ms))
        return self._point

    def _before(self, last_event_id: str, now: int, *, read_any: bool) -> ResumePoint:
        try:
            position = parse_position(last_event_id)
        except UnreadablePosition as error:
            log.warning("unreadable position in the stream", reason=str(error))
            return Since(now - self._max_age_ms)
        if read_any:
            self._rewind_ms = rewind_for(position.timestamp - self._start())
        return resume_after(position, now_ms=now, max_age_ms=self._max_age_ms, rewind_ms=self._rewind_ms)

    def _start(self) -> int:
        match self._point:
            case After(position):
                return position.timestamp
            case Since(timestamp_ms):
                return timestamp_ms
            case Live():
                return self._began
