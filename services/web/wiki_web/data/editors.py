"""Who changed: editors without an account of their own, and each one's share of what was changed."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_BYTE: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_GROUP: Final = "[0-9A-Fa-f]{1,4}"
_GROUPS: Final = f"{_GROUP}(?::{_GROUP}){{0,6}}"
# In the syntax that Python, Java and RE2 have in common. MediaWiki has no account with such a name: it keeps
# addresses and names that begin with ~2 to itself.
_ANONYMOUS: Final = "|".join(
    (
        "~2[0-9]{3}(?:-[0-9]+)+",  # a temporary account: ~2026-10417-3
        f"{_BYTE}(?:[.]{_BYTE}){{3}}",
        f"{_GROUP}(?::{_GROUP}){{7}}",
        f"(?:{_GROUPS})?::(?:{_GROUPS})?",
    )
)
_IS_ANONYMOUS: Final = re.compile(_ANONYMOUS)
ANONYMOUS_PATTERN: Final = rf"\A(?:{_ANONYMOUS})\z"
"""Of the same names, for RLIKE in both engines."""


@dataclass(frozen=True)
class ByEditors:
    """How many known editors there are; the shares are of their changes, rounded to four digits."""

    editors: int = 0
    top_share: float | None = None
    anonymous_share: float | None = None


def is_anonymous(name: str) -> bool:
    """Whether it is a temporary account or an IP address."""
    return _IS_ANONYMOUS.fullmatch(name) is not None


def by_editors(editors: Iterable[str | None]) -> ByEditors:
    """What the editor of each change tells; shares are None if none is known."""
    changes = Counter(name for name in editors if name is not None)
    known = changes.total()
    if not known:
        return ByEditors()
    anonymous = sum(count for name, count in changes.items() if is_anonymous(name))
    return ByEditors(len(changes), round(max(changes.values()) / known, 4), round(anonymous / known, 4))
