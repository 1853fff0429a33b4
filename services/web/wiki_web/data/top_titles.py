"""The most changed titles of a window, in SQL, and the window's totals.

Of every title an engine keeps some numbers while it counts; all their changes only of those that are listed.
A rank of a minute before is told by how many titles had how many changes then, without sorting them all.
"""

from collections.abc import Sequence
from typing import Any, Final

from wiki_web.data.title_details import DETAILS

_COUNTED: Final = """
counted AS (
  SELECT wiki, title, COUNT(CASE WHEN age_us < :window_us THEN 1 END) AS changes,
    COUNT(CASE WHEN age_us >= 60000000 THEN 1 END) AS changes_before, MAX(event_us) AS last_us,
    SUM(CASE WHEN age_us < :window_us THEN impossible_size ELSE 0 END) AS impossible_sizes
  FROM selected GROUP BY wiki, title
)"""
_CHOSEN: Final = """
chosen AS (
  SELECT * FROM counted WHERE changes > 0
  ORDER BY changes DESC, last_us DESC, title, wiki LIMIT :row_limit
)"""
_DETAILS: Final = DETAILS.format(table="detailed", numbers="changes, changes_before, last_us")
_OF_TITLE: Final = (
    "title",
    "wiki",
    "page_url",
    "diff_url",
    "changes",
    "changes_before",
    "bytes",
    "last_us",
    "created",
    "made",
)
_LISTED: Final = """
listed AS (
  SELECT {of_title}, NULL AS all_before FROM detailed
  UNION ALL
  SELECT {no_title}, COLLECT_LIST(STRUCT(changes_before AS changes, titles)) FROM (
    SELECT changes_before, COUNT(*) AS titles FROM counted WHERE changes_before > 0 GROUP BY changes_before
  ) AS before
)"""
COLUMNS: Final = (*_OF_TITLE, "all_before")
LISTED: Final = ", ".join(
    (
        _COUNTED,
        _CHOSEN,
        _DETAILS,
        _LISTED.format(of_title=", ".join(_OF_TITLE), no_title=", ".join("NULL" for _ in _OF_TITLE)),
    )
)
"""The table `listed`, from `selected`: the titles, and a row for `with_ranks`."""
TOTALS: Final = """
totals AS (
  SELECT COALESCE(CAST(SUM(changes) AS BIGINT), 0) AS all_changes, NULL AS all_editors,
    COUNT(CASE WHEN changes > 0 THEN 1 END) AS all_titles,
    COLLECT_SET(CASE WHEN changes > 0 THEN wiki END) AS all_wikis,
    COALESCE(CAST(SUM(impossible_sizes) AS BIGINT), 0) AS impossible_sizes
  FROM counted
  UNION ALL
  SELECT NULL, COALESCE(SIZE(COLLECT_SET(editor)), 0), NULL, NULL, NULL
  FROM selected WHERE age_us < :window_us
)"""
"""The table `totals`, from `counted` and `selected`, in two rows; a set of all titles would take much."""


def with_ranks(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The titles of `listed`, the most changed first, with `rank` and `rank_before`, which may be None."""
    before = [each for row in rows for each in row["all_before"] or ()]
    titles = [row for row in rows if row["title"] is not None]
    titles.sort(key=lambda row: (-row["changes"], -row["last_us"], row["title"], row["wiki"] or ""))

    def rank_before(changes: int) -> int | None:
        return 1 + sum(each["titles"] for each in before if each["changes"] > changes) if changes else None

    ranks: dict[int, int] = {}
    return [
        {
            **row,
            "rank": ranks.setdefault(row["changes"], place),
            "rank_before": rank_before(row["changes_before"]),
        }
        for place, row in enumerate(titles, start=1)
    ]
