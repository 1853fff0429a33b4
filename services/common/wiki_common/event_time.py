"""The one form of time that is read from events: RFC 3339, as upstream writes `meta.dt`."""

import re
from datetime import UTC, datetime
from typing import Final

EVENT_TIME_PATTERN: Final = (
    "[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]{1,9})?"
    "(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])"
)
"""What the whole text must match, for Python and for Java. Not every match is a day that exists."""

_PATTERN: Final = re.compile(EVENT_TIME_PATTERN)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LAST_SECOND: Final = 253_402_300_799
"""The last second of the year 9999."""


def parse_event_time(text: str) -> float | None:
    """Seconds since 1970; None if `text` is not of the pattern, or not in the years 1970 to 9999 (UTC)."""
    if _PATTERN.fullmatch(text) is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    seconds = (time - _EPOCH).total_seconds()
    return seconds if 0 <= seconds < LAST_SECOND + 1 else None
