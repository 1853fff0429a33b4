"""A moment as text: RFC 3339, and as a form's field for local time gives it."""

import re
from datetime import datetime
from typing import Final

from wiki_common.event_time import EVENT_TIME_PATTERN
from wiki_web.data.rows import microseconds, moment_of

_RFC3339: Final = re.compile(EVENT_TIME_PATTERN, re.IGNORECASE)
_FIELD: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?")
_YEARS: Final = range(1970, 9999)


def parse_moment(text: str) -> int:
    """µs since 1970, without further digits. Raises ValueError for what is no RFC 3339 time."""
    if _RFC3339.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no RFC 3339 time")
    moment = datetime.fromisoformat(text.upper())
    if moment.year not in _YEARS:
        raise ValueError(f"{text!r} is of no usual year")
    return max(0, microseconds(moment))


def moment_text(moment_us: int) -> str:
    """In RFC 3339, UTC, fractions only where there are some."""
    return moment_of(moment_us).isoformat().replace("+00:00", "Z")


def field_text(moment_us: int) -> str:
    """As the value of a field of a form, `datetime-local` in HTML, with whole seconds."""
    return f"{moment_of(moment_us):%Y-%m-%dT%H:%M:%S}"


def from_field(text: str) -> str:
    """A field's value as UTC in RFC 3339; any other text as it is."""
    found = _FIELD.fullmatch(text)
    return text if found is None else f"{text}{'' if found[1] else ':00'}Z"
