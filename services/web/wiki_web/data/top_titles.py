"""The most changed titles of a window, in SQL, and the window's totals.

Of every title an engine keeps some numbers while it counts; all their changes only of those that are listed.
"""

from typing import Final

from wiki_web.data.title_details import DETAILS

COUNTED: Final = """
counted AS (
  SELECT wiki, title, COUNT(CASE WHEN age_us < :window_us THEN 1 END) AS changes,
    COUNT(CASE WHEN age_us >= 60000000 THEN 1 END) AS changes_before, MAX(event_us) AS last_us,
    SUM(CASE WHEN age_us < :window_us THEN impossible_size ELSE 0 END) AS impossible_sizes
  FROM selected GROUP BY wiki, title
)"""
"""The table `counted`, from `selected`."""
_CHOSEN: Final = """
ranked AS (
  SELECT *, RANK() OVER (ORDER BY changes DESC) AS rank,
    CASE WHEN changes_before > 0 THEN RANK() OVER (ORDER BY changes_before DESC) END AS rank_before
  FROM counted
),
chosen AS (
  SELECT * FROM ranked WHERE changes > 0
  ORDER BY changes DESC, last_us DESC, title, wiki LIMIT :row_limit
)"""
_NUMBERS: Final = ("rank", "rank_before", "changes", "last_us")
LISTED: Final = f"{_CHOSEN}, {DETAILS.format(numbers=', '.join(_NUMBERS))}"
"""The table `listed`, from both."""
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
"""The table `totals`, from both, in two rows: sets of titles would take more than all else."""
