"""Numbers, times and names as a person reads them; registered as the templates' filters."""

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
    """A length of time in its largest fitting unit: 12 s, 4 min, 2 h; static/times.js says it so, too."""
    whole = max(0, int(seconds))
    if whole < 90:
        return f"{whole} s"
    if whole < 90 * 60:
        return f"{whole // 60} min"
    return f"{whole // 3600} h"


def seconds_between(earlier: str, later: str) -> float:
    """Between two RFC 3339 times."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def ago(moment: str, now: str) -> str:
    return f"{span(seconds_between(moment, now))} ago"


def behind(moment: str, now: str) -> str:
    """How much older than `now` a time is: tenths below 10 s, and never negative."""
    seconds = max(0.0, seconds_between(moment, now))
    return f"{seconds:.1f} s" if seconds < 10 else span(seconds)


def clock(moment: str) -> str:
    """HH:MM:SS of an RFC 3339 time in UTC."""
    return moment[11:19]


def minute(moment: str) -> str:
    """HH:MM of an RFC 3339 time in UTC."""
    return moment[11:16]


def type_name(name: str) -> str:
    return TYPES.get(name, name)


FILTERS: Final[dict[str, Callable[..., str]]] = {
    "thousands": thousands,
    "signed": signed,
    "ago": ago,
    "behind": behind,
    "clock": clock,
    "minute": minute,
    "type_name": type_name,
}
