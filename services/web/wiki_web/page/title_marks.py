"""What is notable of a title, in words beside it; most titles have nothing to tell."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from wiki_web.data.documents import RankedTitle
from wiki_web.data.queries import Query

_REVERTS: Final = 2  # one is everyday work; a second one answers it, or the same again
_CHANGES: Final = 5  # of fewer, a share tells nothing
_ONE_EDITOR: Final = 0.8
_ANONYMOUS: Final = 0.5


@dataclass(frozen=True)
class Mark:
    """`name` tells the kinds apart, and `meaning` what the words leave open."""

    name: str
    words: str
    meaning: str


def title_marks(row: RankedTitle, query: Query) -> Iterator[Mark]:
    """The most telling first. Nothing is said of what the query chose itself: whose changes count."""
    if row.reverts >= _REVERTS:
        yield Mark(
            "contested",
            f"contested · {row.reverts} reverts",
            "changes that bring back an earlier size of the page, and so undo another editor’s",
        )
    if row.created:
        yield Mark("created", "new page", "one of these changes made the page")
    if row.changes < _CHANGES or query.user is not None or query.editors != "all":
        return
    if row.top_editor_share is not None and row.top_editor_share >= _ONE_EDITOR:
        yield Mark(
            "one-editor",
            f"one editor {_percent(row.top_editor_share)}",
            "the busiest editor’s share of these changes",
        )
    if row.anonymous_share is not None and row.anonymous_share >= _ANONYMOUS:
        yield Mark(
            "anonymous",
            f"anonymous {_percent(row.anonymous_share)}",
            "the share of temporary accounts and IP addresses in these changes",
        )


def _percent(share: float) -> str:
    """Rounded down: 100 % is all."""
    return f"{int(round(100 * share, 2))}\N{NO-BREAK SPACE}%"
