"""What is unusual, in words: how many times its usual a title is changed, or how seldom it was before."""

from datetime import timedelta
from typing import Final

from wiki_web.data.documents import BaselineTime, UnusualTitle
from wiki_web.page.formats import thousands

# With fewer changes in the week, their number says more than a multiple of a part of one.
_FEW: Final = 10
_WEEK: Final = timedelta(days=6.5)


def usual_words(row: UnusualTitle, baseline: BaselineTime) -> str:
    """Such as "12 times its usual" or "first changes in a week"."""
    watched = timedelta(seconds=baseline.watched_seconds)
    span = "a week" if watched >= _WEEK else f"{watched / timedelta(hours=1):.0f} h"
    if row.before is None:
        return f"hardly any other changes in {span}"
    if row.before == 0:
        return f"first changes in {span}"
    if row.before < _FEW:
        return f"{row.before} other change{'s' if row.before > 1 else ''} in {span}"
    times = row.counted / row.usual if row.usual else 0.0
    return f"{times:.1f} times its usual" if times < 10 else f"{thousands(round(times))} times its usual"
