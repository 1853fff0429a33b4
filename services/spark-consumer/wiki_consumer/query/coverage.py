"""What a batch says of coverage: up to when everything is counted, and which times it found nobody watched.

It is told from the batch's rows, its clock and what was so before. These are the same when the batch is run
again after a crash, and so is what the footer of its file says.

`as_of` is the latest that any record shows, of whatever partition. Where a topic has several and a backlog is
read, a partition may be behind it.
"""

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from wiki_common.coverage import Coverage, Gap
from wiki_consumer.query.changes import COVERED_FROM, COVERED_UNTIL, RECORDED_AT
from wiki_consumer.volume.gaps import joined


def coverage_of(
    rows: pa.Table, *, before: datetime | None, clock: datetime, max_event_age: timedelta
) -> Coverage:
    """The coverage after a batch of these rows, heartbeats included, that began at `clock`.

    Everything up to `before` had been counted when it began; None if that isn't known.
    """
    as_of = _latest(before, rows[COVERED_UNTIL])
    if as_of is None:
        return Coverage()
    gaps = [
        Gap(counted, begin)
        for written, begin in _begins(rows)
        if (counted := _latest(before, _covered_by_earlier(rows, written))) is None or counted < begin
    ]
    # Older changes are left out as late. Nobody knows whether there were any: they may have come and gone.
    too_old = min(clock - max_event_age, as_of)
    if before is None or before < too_old:
        gaps.append(Gap(before, too_old))
    return Coverage(as_of, joined(gaps))


def _begins(rows: pa.Table) -> list[tuple[datetime, datetime]]:
    """When coverage began anew: when it was said first, of all partitions, and from when on it holds."""
    told = rows.filter(pc.is_valid(rows[COVERED_FROM]))
    first = told.group_by(COVERED_FROM).aggregate([(RECORDED_AT, "min")])
    return sorted(zip(first[f"{RECORDED_AT}_min"].to_pylist(), first[COVERED_FROM].to_pylist(), strict=True))


def _covered_by_earlier(rows: pa.Table, written: datetime) -> pa.ChunkedArray:
    earlier = pc.less(rows[RECORDED_AT], pa.scalar(written, rows[RECORDED_AT].type))
    return rows.filter(earlier)[COVERED_UNTIL]


def _latest(before: datetime | None, times: pa.ChunkedArray) -> datetime | None:
    newest: Any = pc.max(times).as_py()
    return max((time for time in (before, newest) if time is not None), default=None)
