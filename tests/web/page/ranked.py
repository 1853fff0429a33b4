"""What a row of the top has, for tests that look at a part of it."""

from typing import Any, Final

from web.committed import NOON

ORDINARY: Final[dict[str, Any]] = {
    "rank": 1,
    "rank_before": None,
    "title": "A",
    "wiki": "enwiki",
    "url": None,
    "history_url": None,
    "diff_url": None,
    "changes": 9,
    "editors": 3,
    "bytes": 0,
    "last_change": NOON,
    "per_minute": [9],
    "created": False,
    "reverts": 0,
    "top_editor_share": 0.5,
    "anonymous_share": 0.2,
}
"""Of a title of which nothing is notable."""
