"""Says in the log how many records were dropped since they were too old, or dated in the future."""

import time
from collections.abc import Callable
from typing import Final

import structlog

from wiki_consumer.query.progress import Batch

INTERVAL_SECONDS: Final = 60.0

_log = structlog.get_logger()


class DroppedRecordsLog:
    """One line a minute at most, with what came since the last one. `monotonic` in seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._said_at: float | None = None
        self._late = 0
        self._future = 0

    def take(self, batch: Batch) -> None:
        self._late += batch.late
        self._future += batch.future
        self.say()

    def say(self) -> None:
        """If there is something to say, and it is time."""
        now = self._monotonic()
        if not (self._late or self._future):
            return
        if self._said_at is None or now - self._said_at >= INTERVAL_SECONDS:
            _log.warning("records dropped", older_than_max_event_age=self._late, in_the_future=self._future)
            self._late = self._future = 0
            self._said_at = now
