"""Whether the producer is well: events arrive and records are acknowledged."""

import time
from collections.abc import Callable

from wiki_producer.counts import Counts

ACKNOWLEDGEMENT_SECONDS = 30.0


class Watch:
    """Follows the counts by being asked: `reasons` compares with the last time that something moved.

    `phase` says what a start waits for; None once events are being read.
    """

    def __init__(
        self, counts: Counts, *, silence_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._counts = counts
        self._silence_seconds = silence_seconds
        self._clock = clock
        self._read = self._acknowledged = 0
        self._read_at = self._acknowledged_at = clock()
        self.phase: str | None = "starting"
        self.stream_error: Callable[[], str | None] = lambda: None

    def observe(self) -> None:
        """Note what has moved; to be called every second or so."""
        now = self._clock()
        counts = self._counts
        if counts.read != self._read:
            self._read, self._read_at = counts.read, now
        if counts.acknowledged != self._acknowledged or counts.in_flight == 0:
            self._acknowledged, self._acknowledged_at = counts.acknowledged, now

    @property
    def unacknowledged_seconds(self) -> float:
        """How long records have been waiting without any being acknowledged; 0 when none waits."""
        return self._clock() - self._acknowledged_at if self._counts.in_flight else 0.0

    def reasons(self) -> list[str]:
        """Why it is not well; empty when it is."""
        self.observe()
        if self.phase is not None:
            return [self.phase]
        now = self._clock()
        reasons = []
        unacknowledged = self.unacknowledged_seconds
        if unacknowledged > ACKNOWLEDGEMENT_SECONDS:
            waiting = self._counts.in_flight
            reasons.append(f"broker unreachable for {unacknowledged:.0f} s: {waiting} records wait for it")
        silence = now - self._read_at
        error = self.stream_error()
        # As long as the broker is waited for, the stream may be left unread on purpose.
        silent = silence > self._silence_seconds and (error is not None or not reasons)
        if silent or (self._read == 0 and error is not None):
            reasons.append(f"no event for {silence:.0f} s" + (f": {error}" if error else ""))
        return reasons
