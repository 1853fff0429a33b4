"""How long to wait before the next connection."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

BASE_SECONDS: Final = 0.2
CAP_SECONDS: Final = 30.0
# While each connection brings events, however few, reading may not fall far behind.
CAP_WITH_EVENTS_SECONDS: Final = 5.0
# Upstream ends a connection after 15 minutes; a server that does so within seconds is asked less often.
LASTING_SECONDS: Final = 10.0
# The longest Retry-After that is followed.
LONGEST_RETRY_AFTER_SECONDS: Final = 900.0


class Backoff:
    """Pauses that grow with each connection that failed or was short, with jitter."""

    def __init__(self, uniform: Callable[[float, float], float] = random.uniform) -> None:
        self._uniform = uniform
        self._attempt = 0

    def pause_seconds(
        self, *, lasted_seconds: float, brought_events: bool, retry_after: float | None
    ) -> float:
        """How long to wait after a connection: at least `retry_after`, the server's wish in seconds."""
        if brought_events and lasted_seconds >= LASTING_SECONDS:
            self._attempt = 0
        cap = CAP_WITH_EVENTS_SECONDS if brought_events else CAP_SECONDS
        # The exponent is bounded, as a float's is.
        bound = min(cap, BASE_SECONDS * 2 ** min(self._attempt, 30))
        self._attempt += 1
        return min(retry_after or 0.0, LONGEST_RETRY_AFTER_SECONDS) + self._uniform(0, bound)


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks for, as a number or a date; None for no readable one."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        at = parsedate_to_datetime(header)
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        return max(0.0, (at - now).total_seconds())
    except (ValueError, OverflowError):
        return None
