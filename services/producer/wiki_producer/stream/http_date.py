"""Dates in HTTP headers, which a server may get wrong in any way."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def parse_http_date(text: str) -> datetime | None:
    """The time, UTC where it names no zone; None if it is none."""
    try:
        time = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return time.replace(tzinfo=time.tzinfo or UTC)
