"""Variables that are almost settings: a misspelt one is read by nobody, and nothing else would say so."""

import os
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

import structlog
from pydantic_settings import BaseSettings

_ALIKE: Final = 0.87
"""One wrong letter of eight. Spark's own SPARK_LOCAL_DIRS is less like SPARK_LOCAL_IP."""

_log = structlog.get_logger(__name__)


def variables(settings: type[BaseSettings]) -> dict[str, str]:
    """The variable of each field → the field."""
    prefix = settings.model_config.get("env_prefix", "")
    return {
        str(field.validation_alias or f"{prefix}{name}").upper(): name
        for name, field in settings.model_fields.items()
    }


def misspelt(names: Iterable[str], *settings: type[BaseSettings]) -> list[str]:
    """A line for each of `names` that is almost a variable of these settings.

    One with a further word behind it is no mistake: AWS_ENDPOINT_URL_S3 is a variable of its own.
    """
    known = [variable for each in settings for variable in variables(each)]
    lines = []
    for name in sorted(filter(str.isprintable, names)):
        meant = get_close_matches(name.upper(), known, 1, _ALIKE)
        if meant and name.upper() != meant[0] and not name.upper().startswith(f"{meant[0]}_"):
            lines.append(f"{name} is not a setting; is {meant[0]} meant?")
    return lines


def warn_of_misspelt(settings: type[BaseSettings]) -> None:
    """In the log, of those in the environment."""
    for line in misspelt(os.environ, settings):
        _log.warning(line)
