"""How the consumer's processes log."""

import logging
from typing import Final

from py4j import java_gateway

from wiki_common.logs import configure_logs
from wiki_consumer.settings import Settings

# What it logs of a JVM that has ended, it also raises.
_LIBRARIES: Final = {"py4j": logging.CRITICAL}


def configure(settings: Settings) -> None:
    """Send logs to stdout, as every service does."""
    configure_logs(settings.log_level, settings.log_format, libraries=_LIBRARIES)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_is_not_py4j)


def _is_not_py4j(record: logging.LogRecord) -> bool:
    """Py4J says some of what it raises through the root logger, whose level is everybody's."""
    return record.pathname != str(java_gateway.__file__)
