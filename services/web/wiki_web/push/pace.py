"""How fast viewers are told of an answer: each comes and fetches it, and all at once would be a herd."""

import threading
from collections.abc import Callable, Iterable
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_FASTEST: Final = 0.004  # seconds between two viewers: what fetches then cost is less than half a core
_BUSY: Final = 4  # requests at once: an idle server answers one before the next is there
_SPREAD: Final = 0.6  # of the period: the rest is for pauses, which a server at its limit doesn't catch up
_CATCH_UP: Final = 0.02  # seconds: after a pause, so much of it may be made up for at once


class InFlight:
    """A WSGI application that counts the requests being answered."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._guard = threading.Lock()
        self._count = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self._add(1)
        try:
            return self._app(environ, start_response)
        finally:
            self._add(-1)

    def is_busy(self) -> bool:
        return self._count >= _BUSY

    def _add(self, change: int) -> None:
        with self._guard:
            self._count += change


class Pace:
    """Few viewers are told at once. All are told within `period` seconds, as if they polled, however many.

    While the server is busy it takes that long also for a few.
    """

    def __init__(self, period: float, is_busy: Callable[[], bool]) -> None:
        self._period = period
        self._is_busy = is_busy
        self._next_at = 0.0

    def allows(self, now: float, viewers: int) -> bool:
        """Whether one of so many viewers may be told now, in monotonic seconds; if so, it counts as told."""
        if now < self._next_at:
            return False
        slowest = _SPREAD * self._period / max(viewers, 1)
        gap = slowest if self._is_busy() else min(slowest, _FASTEST)
        self._next_at = max(self._next_at, now - _CATCH_UP) + gap
        return True
