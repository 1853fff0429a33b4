"""Bursts of the unusual: of so many changes as may be surprising at all, where they are so of their title.

So where one begins follows from the rows alone. The baseline, another one each hour, says which are told.
"""

from datetime import timedelta
from math import ceil, log
from typing import Any, Final

from wiki_common.baseline import MOST_OF_ONE
from wiki_web.data.baseline import Baseline
from wiki_web.data.unusual import TITLES_LIKE_IT, compared, surprise

SURPRISING: Final = 50
"""What the surprise has to reach: of a title that nobody changed before, nine changes in half an hour do."""
PARAMETERS: Final = {"most_of_one": MOST_OF_ONE}
# Hours of the clock, as the baseline has them, so that no row's place depends on when it is asked about.
COUNTED: Final = """
numbered AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY wiki, title, editor, event_us DIV 3600000000
    ORDER BY event_us, event_id) AS of_one
  FROM frequent
),
counted AS (SELECT * FROM numbered WHERE of_one <= :most_of_one)"""
"""The table `counted`, from `frequent`: of an editor, so many changes of a title in an hour."""
_WEEK: Final = timedelta(days=7)


def fewest_changes(window: timedelta) -> int:
    """Fewer within `window` are never so surprising, not of a title of which nothing at all is known."""
    return ceil(SURPRISING / log(1 + _WEEK * (1 + TITLES_LIKE_IT) / window))


def is_unusual(row: dict[str, Any], baseline: Baseline | None, window_us: int) -> bool:
    """Whether a burst is one of the unusual: in its best window, against the week without the whole burst."""
    with_what = compared(baseline, row["first_us"] - 1, row["last_us"], ())
    if with_what is None or row["editors"] < 2:
        return False
    found = with_what.expected(row, row["changes"], window_us)
    return surprise(row["most"], found.usual, found.known) >= SURPRISING
