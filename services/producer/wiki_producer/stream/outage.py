"""What is logged about the loss of the stream, and what health says of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

_LOG_EVERY_SECONDS: Final = 60.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Disconnect:
    """Why a connection ended or failed: `cause` is a label to count by, `retry_after` is in seconds.

    `refused` is a request that the server does not want to see again as it is; `position_refused` one that it
    may grant without its Last-Event-ID.
    """

    cause: str
    reason: str
    retry_after: float | None = None
    refused: bool = False
    position_refused: bool = False


class Outage:
    """Logs an outage of the stream at once, then once a minute while it lasts, and its end.

    A stream that comes and goes is logged once a minute too.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._since: float | None = None
        self._logged_at: float | None = None
        self._logged = False
        self._tries = 0
        self.reason: str | None = None

    def disconnected(self, disconnect: Disconnect) -> None:
        """A connection ended or could not be made."""
        now = self._clock()
        self._tries += 1
        self.reason = disconnect.reason
        if self._since is None:
            self._since = now
        if self._logged_at is not None and now - self._logged_at < _LOG_EVERY_SECONDS:
            return
        self._logged_at, self._logged = now, True
        log.warning(
            "stream lost, trying again",
            url=self._url,
            cause=disconnect.cause,
            reason=disconnect.reason,
            tries=self._tries,
            seconds=round(now - self._since),
        )

    def over(self) -> None:
        """Events come (again)."""
        if self._logged and self._since is not None:
            log.info("stream back", seconds=round(self._clock() - self._since, 1), tries=self._tries)
        self._since = self.reason = None
        self._logged = False
        self._tries = 0
