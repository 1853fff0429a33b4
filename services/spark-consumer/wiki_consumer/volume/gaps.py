"""Times of which nothing is known: as one gap where they touch, and those that others have already."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from wiki_common.coverage import Gap

_ALWAYS: Final = datetime.min.replace(tzinfo=UTC)


def joined(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    """The same times in as few gaps as possible, in order."""
    found: list[Gap] = []
    for gap in sorted(gaps, key=lambda gap: (gap.start or _ALWAYS, gap.end)):
        if found and (gap.start is None or gap.start <= found[-1].end):
            last = found.pop()
            gap = Gap(last.start, max(last.end, gap.end))
        found.append(gap)
    return tuple(found)


def without_known(gaps: Iterable[Gap], known: Iterable[Gap]) -> tuple[Gap, ...]:
    """Those that aren't wholly within `known`."""
    known = joined(known)
    return tuple(gap for gap in gaps if joined((*known, gap)) != known)
