"""When a service that has ended is started again: soon at first, then after longer and longer pauses."""

from typing import Final

PAUSES: Final = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds before the first, second, … start in a row that is tried again; the last pause repeats for ever."""
RECOVERED_AFTER: Final = 120.0
"""Seconds of running after which a failure is over: more than a service waits for a broker before it ends."""
WELL_AFTER: Final = 10.0
"""Seconds of running after which an end by a signal from outside is no failure."""


class Restarts:
    """The ends and starts of one service. Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self.failures = 0
        """How often it has ended without having recovered in between."""
        self.own_failures = 0
        """The same without the ends by a signal from outside."""
        self.ended_at = 0.0
        self._started_at = 0.0
        self._waits = False

    @property
    def waits(self) -> bool:
        """Whether it has ended and was not started again yet."""
        return self._waits

    def started(self, now: float) -> None:
        self._started_at, self._waits = now, False

    def ended(self, now: float, *, from_outside: bool = False) -> None:
        # Nobody may have looked between its recovery and its end.
        self.recovers(now)
        # Killed soon after each start, it may be that the memory isn't enough: that needs pauses.
        self.failures += not (from_outside and now >= self._started_at + WELL_AFTER)
        self.own_failures += not from_outside
        self.ended_at, self._waits = now, True

    def pause(self) -> float:
        """Seconds from its last end to its next start."""
        return PAUSES[min(max(1, self.failures), len(PAUSES)) - 1]

    def is_due(self, now: float) -> bool:
        return self._waits and now >= self.ended_at + self.pause()

    def recovers(self, now: float) -> bool:
        """True once, when it has run for RECOVERED_AFTER since its last failure."""
        if self._waits or not self.failures or now < self._started_at + RECOVERED_AFTER:
            return False
        self.failures = self.own_failures = 0
        return True
