"""The newest changes, in SQL: of all that is selected, of each page of some titles, or of both."""

from typing import Final

NEWEST: Final = 3
"""So many changes tell why a title is changed."""
COLUMNS: Final = (
    "event_id",
    "event_us",
    "type",
    "title",
    "wiki",
    "namespace",
    "page_url",
    "editor",
    "bot",
    "minor",
    "comment",
    "bytes",
    "revision_new",
    "diff_url",
)
_COLUMNS: Final = ", ".join(COLUMNS)
_NEWEST: Final = "SELECT {columns} FROM selected ORDER BY event_us DESC, event_id DESC LIMIT :row_limit"
LISTED: Final = f"\nlisted AS ({_NEWEST.format(columns=_COLUMNS)})"
"""The table `listed`, from `selected`."""
_NUMBERED: Final = """
numbered AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY wiki, title ORDER BY event_us DESC, event_id DESC) AS place
  FROM selected WHERE ARRAY_CONTAINS(:reasons_of, title)
)"""
_REASONS: Final = "SELECT {columns} FROM numbered WHERE place <= {most}"
REASONS: Final = f"{_NUMBERED}\n{_REASONS.format(columns=_COLUMNS, most=NEWEST)}"
"""The NEWEST of each page of some titles, as what follows `selected` in a statement."""
_BOTH: Final = """
newest AS ({newest}), {numbered},
listed AS (SELECT * FROM newest UNION {reasons})"""
LISTED_WITH_REASONS: Final = _BOTH.format(
    newest=_NEWEST.format(columns=_COLUMNS),
    numbered=_NUMBERED,
    reasons=_REASONS.format(columns=_COLUMNS, most=NEWEST),
)
"""The table `listed` with these, too."""
