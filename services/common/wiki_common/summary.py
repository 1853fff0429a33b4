"""A line a minute that says what a service did, instead of a line for each thing that it does."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

SUMMARY_SECONDS: Final = 60.0

Counts = Callable[[], Mapping[str, int]]
State = Callable[[], Mapping[str, object]]


class Summary:
    """Logs `event` with what has been counted since the line before, and how things are.

    `counts` are totals, `state` is told as it is. One thread looks; `monotonic` in seconds.
    """

    def __init__(
        self,
        log: Any,
        event: str,
        counts: Counts,
        state: State,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._event = event
        self._counts = counts
        self._state = state
        self._monotonic = monotonic
        self._said_at = monotonic()
        self._before: Mapping[str, int] = {}

    def look(self) -> None:
        """To be called every few seconds: says it when it is time."""
        now = self._monotonic()
        if now - self._said_at < SUMMARY_SECONDS:
            return
        counts = dict(self._counts())
        new = {name: count - self._before.get(name, 0) for name, count in counts.items()}
        self._log.info(self._event, seconds=round(now - self._said_at), **new, **self._state())
        self._before, self._said_at = counts, now
