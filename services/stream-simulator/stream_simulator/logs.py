"""Logs: one line per event on stderr, for people or as JSON."""

import logging
import sys

import structlog


def configure(level: str, format_: str) -> None:
    """Set the level (a name of `logging`) and the format: `console` or `json`."""
    as_json = format_ == "json"
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
