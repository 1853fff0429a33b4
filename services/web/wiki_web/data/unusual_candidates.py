"""Which titles of a window may be unusual, in SQL: those of two editors, with the changes that count of each.

As in the baseline, of an editor so many changes of a title count in an hour.
"""

from typing import Final

from wiki_common.baseline import MOST_OF_ONE
from wiki_web.data.title_details import DETAILS

MOST_CANDIDATES: Final = 5_000
"""Titles, of which the most unusual ones are found: those with the most changes that count."""
PARAMETERS: Final = {"row_limit": MOST_CANDIDATES, "most_of_one": MOST_OF_ONE}
_CHOSEN: Final = """
by_editor AS (
  SELECT wiki, title, editor, COUNT(*) AS changes, LEAST(COUNT(*), :most_of_one) AS counted,
    MAX(event_us) AS last_us
  FROM selected GROUP BY wiki, title, editor, age_us DIV 3600000000
),
by_title AS (
  SELECT wiki, title, CAST(SUM(changes) AS BIGINT) AS changes, CAST(SUM(counted) AS BIGINT) AS counted,
    MIN(editor) <> MAX(editor) AS of_several, MAX(last_us) AS last_us
  FROM by_editor GROUP BY wiki, title
),
chosen AS (
  SELECT * FROM by_title WHERE of_several
  ORDER BY counted DESC, last_us DESC, title, wiki LIMIT :row_limit
)"""
LISTED: Final = f"{_CHOSEN}, {DETAILS.format(table='listed', numbers='changes, counted, last_us')}"
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
