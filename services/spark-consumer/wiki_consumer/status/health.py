"""Whether rows flow, with the reason if they don't."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from wiki_consumer.query.progress import Batch

# An idle query reports every few seconds, or at each trigger; a batch of a large backlog takes longer.
MIN_SILENCE: Final = 60.0
TRIGGERS: Final = 3
# A handful of events may have a wrong time; if all have, our clock is wrong.
ALL_DROPPED: Final = 120.0


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
        self._all_dropped_since: float | None = None
        self._as_of: datetime | None = None

    def counted(self, as_of: datetime | None) -> None:
        """Everything up to `as_of` is counted; None if that isn't known."""
        self._as_of = as_of

    def notes(self) -> list[str]:
        """What else should be known."""
        as_of = self._as_of
        return [] if as_of is None else [f"counted up to {as_of:%Y-%m-%dT%H:%M:%SZ}"]

    def trouble(self, reason: str) -> None:
        """Unhealthy for `reason` until the query reports."""
        with self._lock:
            self._trouble = reason

    def reported(self) -> None:
        """A batch was committed, or there was nothing to read."""
        with self._lock:
            self._trouble = None
            self._since = self._clock()

    def committed(self, batch: Batch) -> None:
        """`batch` was committed. While a backlog is read, records that are too old are no news."""
        self.reported()
        with self._lock:
            if batch.rows or batch.duplicates:
                self._all_dropped_since = None
            elif batch.future or (batch.late and not batch.lag_records):
                self._all_dropped_since = self._all_dropped_since or self._clock()

    def reasons(self) -> list[str]:
        """Why the consumer isn't healthy; empty if it is."""
        with self._lock:
            if self._trouble is not None:
                return [self._trouble]
            now = self._clock()
            found = []
            if (silence := now - self._since) > self._max_silence:
                found.append(f"no batch committed for {silence:.0f} s")
            since = self._all_dropped_since
            if since is not None and (dropped := now - since) > ALL_DROPPED:
                found.append(
                    f"every change of the last {dropped:.0f} s was dropped, as too old or in the future:"
                    " is this machine's clock right?"
                )
            return found
