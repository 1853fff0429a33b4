"""Whether rows flow, with the reason if they don't."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

# An idle query reports every few seconds, or at each trigger; a batch of a large backlog takes longer.
MIN_SILENCE: Final = 60.0
TRIGGERS: Final = 3


class Health:
    """Written by the query's threads, read by the status server's.

    A query that never reported isn't healthy, nor is one that was silent for MIN_SILENCE seconds and for
    TRIGGERS of its triggers.
    """

    def __init__(self, trigger_interval: timedelta, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_silence = max(MIN_SILENCE, TRIGGERS * trigger_interval.total_seconds())
        self._clock = clock
        self._lock = threading.Lock()
        self._trouble: str | None = "starting"
        self._since = clock()

    def trouble(self, reason: str) -> None:
        """Unhealthy for `reason` until the query reports."""
        with self._lock:
            self._trouble = reason

    def reported(self) -> None:
        """A batch was committed, or there was nothing to read."""
        with self._lock:
            self._trouble = None
            self._since = self._clock()

    def reasons(self) -> list[str]:
        """Why the consumer isn't healthy; empty if it is."""
        with self._lock:
            if self._trouble is not None:
                return [self._trouble]
            silence = self._clock() - self._since
            return [f"no batch committed for {silence:.0f} s"] if silence > self._max_silence else []
