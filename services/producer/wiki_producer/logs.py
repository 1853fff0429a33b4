"""Logs: one line per event, from this package and from the libraries below it."""

import logging
import sys
import time
from collections.abc import Callable
from typing import Literal

import structlog

_REPEAT_SECONDS = 60


class OncePerMinute(logging.Filter):
    """Lets through one message a minute of each line of code that logs: kafka-python writes one per try."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._last: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        key = (record.pathname, record.lineno)
        now = self._clock()
        last = self._last.get(key)
        if last is not None and now - last < _REPEAT_SECONDS:
            return False
        self._last[key] = now
        return True


def configure_logs(level: str, log_format: Literal["console", "json"]) -> None:
    """Send structlog's and the libraries' events to stdout, one line each."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # kafka-python reports each try to reach a broker as an error; the publisher reports the state itself.
    kafka = logging.getLogger("kafka")
    kafka.setLevel(max(logging.WARNING, root.level))
    handler.addFilter(_for_library("kafka", OncePerMinute()))
    # Of use to kafka-python's authors: it warns whenever its thread has had to wait 0.1 s for a core.
    logging.getLogger("kafka.net.selector").setLevel(logging.ERROR)
    logging.getLogger("aiohttp_sse_client").setLevel(logging.CRITICAL)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)


def _for_library(name: str, limit: logging.Filter) -> logging.Filter:
    class OnlyLibrary(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            return not record.name.startswith(f"{name}.") or bool(limit.filter(record))

    return OnlyLibrary()
