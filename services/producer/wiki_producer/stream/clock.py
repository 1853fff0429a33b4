"""The stream's time. Ours may be wrong: after sleep, in a virtual machine that was paused, or never set."""

import statistics
import time
from collections.abc import Callable
from typing import Final

from wiki_producer.stream.http_date import parse_http_date

# From here on a difference is no matter of the network's delay or of a header's precision.
SKEW_SECONDS: Final = 60.0
# The header Date has whole seconds, cut off.
_CUT_OFF_SECONDS: Final = 0.5
# With that and the network's delay it tells no smaller difference: then our clock is the more exact one.
_DATE_TELLS_SECONDS: Final = 1.5
# One event of a wrong time must not move the clock: the median of so many looks at the newest event counts.
_LOOKS: Final = 15
_FEWEST_LOOKS: Final = 5
# Within this, what the server said at the beginning of the connection is the better source.
_TOLERANCE_SECONDS: Final = 5.0


class StreamClock:
    """Takes the stream's time from the Date of the server's answer, and goes on with the monotonic clock.

    That clock may stand still while the machine sleeps: then events that are newer tell. Older events tell
    nothing, as they may be late. Any thread may ask.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._answered: float | None = None
        """The stream's time less the monotonic clock's, by the last answer."""
        self._looks: tuple[float, ...] = ()
        """The same by the newest event, at each look."""
        self._by_events: float | None = None
        """The median of these, once there are enough."""
        self._newest_ms: int | None = None

    def answered(self, date: str | None) -> None:
        """The server has just answered with this Date; None or an unreadable one is ignored."""
        at = parse_http_date(date or "")
        if at is not None:
            ours = self._wall()
            skew = at.timestamp() + _CUT_OFF_SECONDS - ours
            self._answered = ours + (skew if abs(skew) > _DATE_TELLS_SECONDS else 0.0) - self._monotonic()

    def looked_at(self, newest_ms: int | None) -> None:
        """The newest event that has been read is of this time (ms); to be called every second or so."""
        if newest_ms is not None and newest_ms != self._newest_ms:
            self._newest_ms = newest_ms
            self._looks = (*self._looks, newest_ms / 1000 - self._monotonic())[-_LOOKS:]
            # Once a look: each record asks for the time.
            self._by_events = statistics.median(self._looks) if len(self._looks) >= _FEWEST_LOOKS else None

    @property
    def skew_seconds(self) -> float | None:
        """How far the stream's time is ahead of ours; negative if it is behind, None if it is not known."""
        ours = self._wall() - self._monotonic()
        known, by_events = self._answered, self._by_events
        if by_events is not None and by_events > (ours if known is None else known) + _TOLERANCE_SECONDS:
            known = by_events
        return None if known is None else known - ours

    def now(self) -> float:
        """The stream's time in seconds since the epoch; ours while it is not known."""
        return self._wall() + (self.skew_seconds or 0.0)

    def now_ms(self) -> int:
        return int(self.now() * 1000)
