"""One line per log event on stdout, with the same keys in every service."""

import logging
import sys
from collections.abc import Mapping
from typing import Final, Literal

import structlog

# They say where credentials were found, and which requests are made again.
_LIBRARIES: Final = {"botocore": logging.WARNING, "urllib3": logging.ERROR}


class _PlainLoggers(structlog.stdlib.LoggerFactory):
    """Makes loggers of the standard class, also while another is set for all new ones.

    pyspark sets its own while it makes a logger, and with two threads at once it stays
    (PySparkLogger.getLogger).
    """

    _manager = logging.Manager(logging.root)
    _manager.setLoggerClass(logging.Logger)

    def __call__(self, *args: str) -> logging.Logger:
        return self._manager.getLogger(super().__call__(*args).name)


def configure_logs(
    level: str,
    log_format: Literal["console", "json"],
    *,
    libraries: Mapping[str, int] | None = None,
) -> None:
    """Send structlog's events and the standard library's to stdout; keys: timestamp, level, logger, event.

    `libraries` are names of loggers with the lowest level (a number of `logging`) that is wanted of each.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=_PlainLoggers(ignore_frame_names=[__name__]),
        wrapper_class=structlog.stdlib.BoundLogger,
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
    for name, lowest in {**_LIBRARIES, **(libraries or {})}.items():
        logging.getLogger(name).setLevel(max(lowest, root.level))
