"""Logs: one line per event on stdout, for people or as JSON, with the keys that all services have."""

import logging
import sys

import structlog


def configure(level: str, format_: str) -> None:
    """Set the level (a name of `logging`) and the format: `console` or `json`."""
    about: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendered: list[structlog.typing.Processor] = [structlog.dev.ConsoleRenderer(colors=False)]
    if format_ == "json":
        rendered = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    formatter = structlog.stdlib.ProcessorFormatter
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        formatter(processors=[formatter.remove_processors_meta, *rendered], foreign_pre_chain=about)
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *about, formatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
