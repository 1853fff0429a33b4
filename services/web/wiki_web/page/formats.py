"""Numbers, times and names as a person reads them; templates apply them with `|`."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

# https://www.mediawiki.org/wiki/Help:Namespaces, and Draft, which most large wikis have.
NAMESPACES: Final = {
    0: "Articles",
    1: "Talk",
    2: "User",
    3: "User talk",
    4: "Project",
    5: "Project talk",
    6: "File",
    7: "File talk",
    8: "MediaWiki",
    9: "MediaWiki talk",
    10: "Template",
    11: "Template talk",
    12: "Help",
    13: "Help talk",
    14: "Category",
    15: "Category talk",
    118: "Draft",
    119: "Draft talk",
}
TYPES: Final = {
    "edit": "edit",
    "new": "new page",
    "log": "log entry",
    "categorize": "category",
    "external": "external",
}


def thousands(number: int) -> str:
    return f"{number:,}"


def signed(number: int) -> str:
    """+1,234, −56 or 0, with a real minus sign."""
    if number == 0:
        return "0"
    return f"{'+' if number > 0 else '−'}{abs(number):,}"


def span(seconds: float) -> str:
    """A length of time in one unit: 12 s, 4 min, 2 h; the same as in static/times.js."""
    whole = max(0, int(seconds))
    if whole < 90:
        return f"{whole} s"
    if whole < 90 * 60:
        return f"{whole // 60} min"
    return f"{whole // 3600} h"


def ago(time: datetime, now: datetime) -> str:
    return f"{span((now - time).total_seconds())} ago"


def behind(time: datetime, now: datetime) -> str:
    """How much older than `now` a time is: tenths below 10 s, and never negative."""
    seconds = max(0.0, (now - time).total_seconds())
    return f"{seconds:.1f} s" if seconds < 10 else span(seconds)


def clock(time: datetime) -> str:
    """HH:MM:SS of a time in UTC."""
    return f"{time:%H:%M:%S}"


def day_and_clock(time: datetime) -> str:
    """YYYY-MM-DD HH:MM:SS of a time in UTC."""
    return f"{time:%Y-%m-%d %H:%M:%S}"


def minute(time: datetime) -> str:
    """HH:MM of a time in UTC."""
    return f"{time:%H:%M}"


def rfc3339(time: datetime) -> str:
    """A time in UTC as machines read it, fractions only where there are some."""
    return time.isoformat().replace("+00:00", "Z")


def type_name(name: str) -> str:
    return TYPES.get(name, name)


TEMPLATE_FORMATS: Final[dict[str, Callable[..., str]]] = {
    "thousands": thousands,
    "signed": signed,
    "ago": ago,
    "behind": behind,
    "clock": clock,
    "day_and_clock": day_and_clock,
    "minute": minute,
    "rfc3339": rfc3339,
    "type_name": type_name,
}
