"""The producer's logs: the format of all services, and the libraries below it kept quiet."""

import logging
import time
from collections.abc import Callable
from typing import Final

from wiki_common.logs import configure_logs
from wiki_producer.settings import Settings

_REPEAT_SECONDS: Final = 60
# kafka-python reports each attempt to reach a broker as an error; the publisher's health says it once.
_KAFKA: Final = "kafka"
# A stream may send nothing but rubbish; the topic of rejected events has each with its reason.
_RELAY: Final = "wiki_producer.relay.relay"
_LIBRARIES: Final = {
    _KAFKA: logging.WARNING,
    # Of use to kafka-python's authors only: it warns whenever its thread waited 0.1 s for a core.
    "kafka.net.selector": logging.ERROR,
    "aiohttp_sse_client": logging.CRITICAL,
}


class OncePerMinute(logging.Filter):
    """Passes one record a minute of each line of code that logs to `logger` or below, and all of others."""

    def __init__(self, logger: str, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._logger = logger
        self._clock = clock
        self._last: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name != self._logger and not record.name.startswith(f"{self._logger}."):
            return True
        key = (record.pathname, record.lineno)
        now = self._clock()
        last = self._last.get(key)
        if last is not None and now - last < _REPEAT_SECONDS:
            return False
        self._last[key] = now
        return True


def configure(settings: Settings) -> None:
    """Send all log records to stdout as the settings say."""
    configure_logs(settings.log_level, settings.log_format, libraries=_LIBRARIES)
    for handler in logging.getLogger().handlers:
        for logger in (_KAFKA, _RELAY):
            handler.addFilter(OncePerMinute(logger))
