"""Where each connection of one process begins: before the last event read, so that none is skipped."""

import time
from collections.abc import Callable
from typing import Final

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

# The point that was asked for may be off by what the header Date cuts off, and some delay of the network.
_TOLERANCE_MS: Final = 5_000

log = structlog.get_logger(__name__)


def rewind_for(covered_ms: int) -> int:
    """How far to go back after a connection that covered `covered_ms` of the stream's time.

    At most half of it: a server that ends every connection before the full rewind is covered would otherwise
    be asked for the same events for ever.
    """
    return max(SHORTEST_REWIND_MS, min(REWIND_MS, covered_ms // 2))


class Cursor:
    """Where to connect, again and again. Times are ms since the epoch."""

    def __init__(
        self,
        first: Callable[[int], ResumePoint],
        *,
        max_age_ms: int,
        now_ms: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`first` is where to begin, given the time; `now_ms` the stream's time as far as it is known."""
        self._first = first
        self._max_age_ms = max_age_ms
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._created = monotonic()
        self._point: ResumePoint | None = None
        self._offset_ms = 0
        """The stream's time less the monotonic clock's, as the point was computed."""
        self._failed_live = False
        self._rewind_ms = REWIND_MS
        self._refused_id: str | None = None

    def next(self, last_event_id: str, *, read_any: bool, position_refused: bool) -> ResumePoint:
        """Where to connect now.

        `last_event_id` is that of the last event that was relayed ("": none yet), `read_any` says whether the
        connection before brought events, `position_refused` whether its Last-Event-ID was refused.
        """
        now = self._now_ms()
        if position_refused:
            self._refused_id = last_event_id
        self._offset_ms = self._offset(now)
        if last_event_id:
            point: ResumePoint = self._before(last_event_id, now, read_any=read_any)
        elif self._failed_live or isinstance(self._point, Live):
            self._failed_live = True
            point = self._since_creation(now)
        else:
            point = self._first(now)
        if isinstance(point, After) and last_event_id == self._refused_id:
            # Other partitions may not have been read as far as the newest time of the position.
            point = Since(max(point.position.oldest_timestamp, now - self._max_age_ms), continues=True)
        self._point = point
        return point

    def corrected(self, last_event_id: str) -> ResumePoint | None:
        """Where the connection that was made last should have begun; None if it did.

        Its point may have been computed by a clock that has since turned out to be wrong.
        """
        before = self._point
        if isinstance(before, Live) or abs(self._offset(self._now_ms()) - self._offset_ms) <= _TOLERANCE_MS:
            return None
        point = self.next(last_event_id, read_any=False, position_refused=False)
        return None if point == before else point

    def _offset(self, now: int) -> int:
        return now - int(self._monotonic() * 1000)

    def _since_creation(self, now: int) -> Since:
        """Events that came since the first attempt to read live are wanted too."""
        return Since(max(self._created_ms(now), now - self._max_age_ms))

    def _created_ms(self, now: int) -> int:
        return now - int((self._monotonic() - self._created) * 1000)

    def _before(self, last_event_id: str, now: int, *, read_any: bool) -> ResumePoint:
        try:
            position = parse_position(last_event_id)
        except UnreadablePosition as error:
            log.warning("unreadable position in the stream", reason=str(error))
            return Since(now - self._max_age_ms)
        if read_any:
            self._rewind_ms = rewind_for(position.timestamp - self._start(now))
        return resume_after(position, now_ms=now, max_age_ms=self._max_age_ms, rewind_ms=self._rewind_ms)

    def _start(self, now: int) -> int:
        match self._point:
            case After(position):
                return position.timestamp
            case Since(timestamp_ms):
                return timestamp_ms
            case _:
                return self._created_ms(now)
