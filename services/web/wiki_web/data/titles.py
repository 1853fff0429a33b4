"""Titles in one spelling, so that the title asked for meets the one stored.

MediaWiki itself takes an underscore for a space and drops marks of direction (MediaWikiTitleCodec), and its
titles are in Unicode's NFC. A clipboard, a keyboard or a file system may give other forms.
"""

import unicodedata
from typing import Final

MAX_TITLE: Final = 300
"""Characters; MediaWiki's own limit is 255 bytes."""
DIRECTION_MARKS: Final = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
CONTROLS: Final = "".join(map(chr, (*range(32), *range(127, 160), 0x2028, 0x2029)))
"""Never in a title; in a stored one they are dropped."""
_SPELLED: Final = str.maketrans("_", " ", DIRECTION_MARKS)


def spelled(title: str) -> str:
    """The title as a reader writes it: spaces for underscores, none around it, no marks of direction."""
    return title.translate(_SPELLED).strip(" ")


def equivalent(title: str) -> list[str]:
    """The title in the normal forms in which it may be stored."""
    return sorted({title, unicodedata.normalize("NFC", title), unicodedata.normalize("NFD", title)})
