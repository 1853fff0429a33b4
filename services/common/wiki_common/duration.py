"""Durations in settings and in the API: a whole number with a unit."""

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator

_UNITS: Final = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST: Final = timedelta(days=100_000)  # so long ago there still is a date
_DURATION: Final = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")


def parse_duration(text: str) -> timedelta:
    """`500ms`, `60s`, `30m`, `24h`, `7d` → the duration. ValueError for anything else, zero and centuries."""
    match = _DURATION.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise ValueError("expected a positive whole number with a unit: 500ms, 60s, 30m, 24h, 7d")
    duration = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if duration > _LONGEST:
        raise ValueError(f"expected at most {_LONGEST.days}d")
    return duration


def duration_text(value: timedelta) -> str:
    """The shortest spelling in one unit of at most an hour: `30m`, `90s`, `24h`."""
    milliseconds = value // timedelta(milliseconds=1)
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


def _from_setting(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(_from_setting)]
