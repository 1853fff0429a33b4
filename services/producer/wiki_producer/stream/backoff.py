"""How long to wait before the next connection."""

import random
from collections.abc import Callable
from datetime import datetime
from typing import Final

from wiki_producer.stream.http_date import parse_http_date

BASE_SECONDS: Final = 0.2
CAP_SECONDS: Final = 30.0
# While each connection brings events, however few, reading may not fall far behind.
CAP_WITH_EVENTS_SECONDS: Final = 5.0
# Upstream ends a connection after 15 minutes; a server that does so within seconds is asked less often.
LASTING_SECONDS: Final = 10.0
# The longest Retry-After that is followed.
LONGEST_RETRY_AFTER_SECONDS: Final = 900.0


class Backoff:
    """Pauses that grow with each connection that brings nothing, and with each that is short; with jitter."""

    def __init__(self, uniform: Callable[[float, float], float] = random.uniform) -> None:
        self._uniform = uniform
        self._since_events = 0
        self._short = 0

    def pause_seconds(
        self, *, lasted_seconds: float, brought_events: bool, retry_after: float | None
    ) -> float:
        """How long to wait after a connection: at least `retry_after`, the server's wish in seconds."""
        if not brought_events:
            bound = _doubled(self._since_events, CAP_SECONDS)
        else:
            self._since_events = 0
            self._short = 0 if lasted_seconds >= LASTING_SECONDS else self._short
            bound = _doubled(self._short, CAP_WITH_EVENTS_SECONDS)
            self._short += 1
        self._since_events += 1
        return min(retry_after or 0.0, LONGEST_RETRY_AFTER_SECONDS) + self._uniform(0, bound)


def _doubled(times: int, cap: float) -> float:
    # The exponent is bounded, as a float's is.
    return min(cap, BASE_SECONDS * 2.0 ** min(times, 30))


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks for, as a number or a date; None for no readable one."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    at = parse_http_date(header)
    return None if at is None else max(0.0, (at - now).total_seconds())
