"""Whether the producer is ok: events arrive and records are acknowledged."""

import threading
import time
from collections.abc import Callable
from typing import Final

from wiki_producer.kafka.in_flight import InFlight
from wiki_producer.stream.clock import SKEW_SECONDS
from wiki_producer.stream.progress import Progress

ACKNOWLEDGEMENT_SECONDS: Final = 30.0
# What lies further in the future than this is not counted by those who read the topic.
UNHEALTHY_SKEW_SECONDS: Final = 300.0


class Watch:
    """Compares, each time it is asked, with the last time that something moved; any thread may ask.

    `phase` says what a start waits for; None once events are being read. `stream_error` says why there is no
    connection to the stream; None while there is one. `skew_seconds` is the StreamClock's.
    """

    def __init__(
        self,
        progress: Progress,
        in_flight: InFlight,
        *,
        silence_seconds: float,
        stream_error: Callable[[], str | None],
        skew_seconds: Callable[[], float | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._progress = progress
        self._in_flight = in_flight
        self._silence_seconds = silence_seconds
        self._stream_error = stream_error
        self._skew_seconds = skew_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._events = self._acknowledged = 0
        self._read_at = self._acknowledged_at = clock()
        self.phase: str | None = "starting"

    def observe(self) -> None:
        """Note what has moved; to be called every second or so."""
        events, acknowledged, waiting = (
            self._progress.events,
            self._in_flight.acknowledged,
            self._in_flight.records,
        )
        with self._lock:
            now = self._clock()
            if events != self._events:
                self._events, self._read_at = events, now
            if acknowledged != self._acknowledged or waiting == 0:
                self._acknowledged, self._acknowledged_at = acknowledged, now

    @property
    def unacknowledged_seconds(self) -> float:
        """How long records have been waiting without any being acknowledged; 0 when none waits."""
        return self._clock() - self._acknowledged_at if self._in_flight.records else 0.0

    def reasons(self) -> list[str]:
        """Why the producer is not ok; empty when it is."""
        self.observe()
        if self.phase is not None:
            return [self.phase]
        now = self._clock()
        reasons = []
        unacknowledged = self.unacknowledged_seconds
        if unacknowledged > ACKNOWLEDGEMENT_SECONDS:
            waiting = self._in_flight.records
            reasons.append(f"broker unreachable for {unacknowledged:.0f} s: {waiting} records wait for it")
        silence = now - self._read_at
        error = self._stream_error()
        # As long as the broker is waited for, the stream may be left unread on purpose.
        silent = silence > self._silence_seconds and (error is not None or not reasons)
        if silent or (self._events == 0 and error is not None):
            reasons.append(f"no event for {silence:.0f} s" + (f": {error}" if error else ""))
        if abs(self._skew_seconds() or 0.0) > UNHEALTHY_SKEW_SECONDS:
            reasons += self.skew()
        return reasons

    def notes(self) -> list[str]:
        """What should be known although the producer is ok."""
        return [] if abs(self._skew_seconds() or 0.0) > UNHEALTHY_SKEW_SECONDS else self.skew()

    def skew(self) -> list[str]:
        """How far our clock is from the stream's, if that matters."""
        skew = self._skew_seconds() or 0.0
        if abs(skew) <= SKEW_SECONDS:
            return []
        side = "behind" if skew > 0 else "ahead of"
        return [f"our clock is {abs(skew):.0f} s {side} the stream's: set it by a time server"]
