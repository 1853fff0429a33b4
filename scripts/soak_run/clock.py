"""A clock of all services that goes faster: libfaketime sets it ahead, a little again and again."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from chaos_run.clocks import Clocks

SPEED: Final = 20
"""Seconds a second at most."""
LEAP: Final = 5.0
"""Seconds. The consumer waits 10 s for an answer of Kafka's by this clock: more than one leap."""
VARIABLES: Final = {
    # Processes read the file at each look at the clock: once a second, it would leap by several.
    "FAKETIME_NO_CACHE": "1",
}
_TICK: Final = LEAP / SPEED
_HOUR: Final = timedelta(hours=1).total_seconds()
_FIRST: Final = 24 * 60
"""Where in an hour it begins: shortly before the last one can be closed, so that a short run does so."""


class FastClock:
    """Stands ahead of the machine's; it goes at that one's speed, and faster during `run`."""

    def __init__(self, folder: Path, services: Sequence[str]) -> None:
        """Of `services`, whose files will be in `folder`."""
        self._clocks = Clocks(folder)
        self._services = services
        self._ahead = (_FIRST - time.time()) % _HOUR
        self._set()

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self._ahead

    def run(
        self, seconds: float, may_leap: Callable[[], bool], enough: Callable[[], bool] = lambda: False
    ) -> None:
        """Go fast for about `seconds` of the machine's clock, or until `enough`: leap each time that
        `may_leap` says so. A late leap is no larger than others.
        """
        due = time.monotonic()
        end = due + seconds
        while due < end and not enough():
            due = max(due + _TICK, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))
            if may_leap():
                self._ahead += LEAP - _TICK
                self._set()

    def _set(self) -> None:
        for service in self._services:
            self._clocks.set(service, self._ahead)
