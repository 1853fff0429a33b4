"""What is said of batches in the log: a summary a minute, and what was dropped.

A batch's number is in each of its lines, here and in those of web.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from wiki_common.summary import Summary
from wiki_consumer.query.progress import Batch

INTERVAL_SECONDS: Final = 60.0

_log = structlog.get_logger(__name__)


class BatchLog:
    """Takes each batch that was committed; `say` is called as well while there is nothing to read.

    `monotonic` in seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._counts: Counter[str] = Counter()
        self._last: Batch | None = None
        self._summary = Summary(
            _log, "batches committed", lambda: _in_order(self._counts), self._state, monotonic
        )
        self._dropped = _Repeated("records dropped", monotonic)
        self._malformed = _Repeated("malformed records", monotonic)

    def take(self, batch: Batch) -> None:
        self._last = batch
        self._counts.update(batches=1, records=batch.records, heartbeats=batch.heartbeats, rows=batch.rows)
        dropped = {"older_than_max_event_age": batch.late, "in_the_future": batch.future}
        self._dropped.add(dropped, batch=batch.number)
        self._malformed.add({"count": batch.malformed}, batch=batch.number, sample=batch.malformed_sample)
        self.say()

    def say(self) -> None:
        """If there is something to say, and it is time."""
        self._dropped.say()
        self._malformed.say()
        self._summary.look()

    def _state(self) -> Mapping[str, object]:
        last = self._last
        return {} if last is None else {"batch": last.number, "lag_records": last.lag_records}


def _in_order(counts: Counter[str]) -> dict[str, int]:
    return {name: counts[name] for name in ("batches", "records", "heartbeats", "rows")}


class _Repeated:
    """A warning at once, and then once a minute at most with what came since the last one."""

    def __init__(self, event: str, monotonic: Callable[[], float]) -> None:
        self._event = event
        self._monotonic = monotonic
        self._said_at: float | None = None
        self._counts: Counter[str] = Counter()
        self._told: dict[str, object] = {}

    def add(self, counts: Mapping[str, int], **told: object) -> None:
        """`told` describes a batch; the last one with something to count is named in the warning."""
        if any(counts.values()):
            self._told = told
        self._counts.update(counts)

    def say(self) -> None:
        now = self._monotonic()
        if not any(self._counts.values()):
            return
        if self._said_at is None or now - self._said_at >= INTERVAL_SECONDS:
            _log.warning(self._event, **self._counts, **self._told)
            self._counts.clear()
            self._said_at = now
