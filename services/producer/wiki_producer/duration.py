"""Durations in settings: an integer with a unit."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")


def parse_duration(text: str) -> timedelta:
    """`500ms`, `60s`, `30m`, `24h`, `7d` → the duration. ValueError for anything else and for zero."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or int(match[1]) == 0:
        raise ValueError("expected a positive integer with a unit: 500ms, 60s, 30m, 24h, 7d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _from_setting(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(_from_setting)]
