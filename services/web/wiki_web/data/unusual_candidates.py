"""Which titles of a window may be unusual, in SQL: those of two editors, with the changes that count of each.

As in the baseline, of an editor so many changes of a title count in an hour.
"""

from typing import Final

from wiki_common.baseline import MOST_OF_ONE

MOST_CANDIDATES: Final = 5_000
"""Titles, of which the most unusual ones are found: those with the most changes that count."""
PARAMETERS: Final = {"row_limit": MOST_CANDIDATES, "most_of_one": MOST_OF_ONE}
LISTED: Final = """
by_editor AS (
  SELECT wiki, title, editor, MAX(namespace) AS namespace, MAX(page_url) AS page_url, COUNT(*) AS changes,
    LEAST(COUNT(*), :most_of_one) AS counted, SUM(bytes) AS bytes, MAX(event_us) AS last_us,
    MAX(CASE WHEN diff_url IS NOT NULL THEN revision_new END) AS revision,
    MAX_BY(diff_url, CASE WHEN diff_url IS NOT NULL THEN revision_new END) AS diff_url,
    MAX(CASE WHEN type = 'new' THEN 1 ELSE 0 END) AS created,
    COLLECT_LIST(STRUCT(age_us, revision_new, length_old, length_new, editor)) AS made
  FROM selected GROUP BY wiki, title, editor, age_us DIV 3600000000
),
counted AS (
  SELECT wiki, title, MAX(namespace) AS namespace, MAX(page_url) AS page_url,
    CAST(SUM(changes) AS BIGINT) AS changes, CAST(SUM(counted) AS BIGINT) AS counted,
    COALESCE(SIZE(COLLECT_SET(editor)), 0) AS editors, CAST(SUM(bytes) AS BIGINT) AS bytes,
    MAX(last_us) AS last_us, MAX_BY(diff_url, revision) AS diff_url,
    MAX(created) AS created, FLATTEN(COLLECT_LIST(made)) AS made
  FROM by_editor GROUP BY wiki, title
),
listed AS (
  SELECT * FROM counted WHERE editors > 1
  ORDER BY counted DESC, last_us DESC, title, wiki LIMIT :row_limit
)"""
"""The table `listed`, from `selected`."""
COLUMNS: Final = (
    "title",
    "wiki",
    "namespace",
    "page_url",
    "diff_url",
    "changes",
    "counted",
    "bytes",
    "last_us",
    "created",
    "made",
)
