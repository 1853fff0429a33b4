"""What is usual: how often each title was changed in the week before the history's end, in a file of its own.

It is computed from the hours' files alone, anew after each hour that was closed: nothing adds up that an
interrupted run, a late row or a deleted hour could make wrong.
"""

import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import structlog

from wiki_common.baseline import TITLE, BaselineUnreadable, Covered
from wiki_common.coverage import Gap
from wiki_common.store.place import Place, readable
from wiki_common.volume import HOUR, Volume
from wiki_consumer.maintenance.report import Report
from wiki_consumer.maintenance.title_counts import count_titles, parts_for
from wiki_consumer.volume.drafts import draft_of
from wiki_consumer.volume.gaps import joined
from wiki_consumer.volume.history import History
from wiki_consumer.volume.raw_files import OnStep, UnreadableFile

WEEK: Final = timedelta(days=7)
# A change is some seconds older than the event that tells it: the first ones may lie before watching began.
_LATE: Final = timedelta(minutes=1)
_ROW_GROUP_ROWS: Final = 131_072

_log = structlog.get_logger()


class BaselineKeeper:
    """Ask it to `update` after hours were closed. `on_step` is told each thing done to the disk."""

    def __init__(self, volume: Volume[Place], history: History, on_step: OnStep) -> None:
        self._volume = volume
        self._history = history
        self._on_step = on_step
        self._end: datetime | None = None  # of the file, or of an attempt that failed

    def update(self, report: Report) -> None:
        """Write the file, unless it ends with the history: one try an hour, since it reads a week.

        What can't be read is in the report, and counts as not watched. Raises OSError, pa.ArrowException or
        UnreadableFile.
        """
        hours = self._volume.hours()
        if not hours:
            return
        end = hours[-1] + HOUR
        if self._end is None:
            self._end = report.baseline_end = _end_of(self._volume.baseline)
        if self._end != end:
            self._end = end
            started = time.monotonic()
            covered = self._compute([hour for hour in hours if hour >= end - WEEK], end, report)
            if covered is not None:
                report.baseline_end = covered.end
                report.baseline_duration = time.monotonic() - started

    def _compute(self, hours: list[datetime], end: datetime, report: Report) -> Covered | None:
        """None if no moment was watched."""
        files = {self._volume.hour_file(hour): hour for hour in hours}
        unread: list[Gap] = []

        def pass_over(error: UnreadableFile) -> None:
            report.fault("compute the baseline", error)
            unread.append(Gap(files[error.path], files[error.path] + HOUR))

        rows, least = count_titles(files, parts_for(_rows_in(files)), pass_over)
        start = max(hours[0], end - WEEK)
        watched = watched_within(start, end, [*_with_starts(self._history.gaps(), hours), *unread])
        if not watched:
            return None
        covered = Covered(start, end, watched.total_seconds(), least)
        self._publish(rows, covered)
        _log.info("baseline written", hours=watched / HOUR, rows=rows.num_rows, least_changes=least)
        return covered

    def _publish(self, rows: pa.Table, covered: Covered) -> None:
        """The groups first, in a row group of their own."""
        groups = pc.sum(pc.is_null(rows[TITLE])).as_py() or 0
        draft = draft_of(self._volume.baseline, self._history.writing / self._volume.baseline.name)
        with (
            draft.writing() as file,
            pq.ParquetWriter(
                file, rows.schema, compression="zstd", store_schema=False, write_page_checksum=True
            ) as writer,
        ):
            writer.write_table(rows.slice(0, groups))
            writer.write_table(rows.slice(groups), row_group_size=_ROW_GROUP_ROWS)
            writer.add_key_value_metadata(covered.in_footer())
        self._on_step("baseline written")
        draft.publish()
        self._on_step("baseline published")


def _end_of(file: Place) -> datetime | None:
    """Up to when the baseline in a file counts; None if the file holds none."""
    try:
        return Covered.of_footer(pq.read_metadata(readable(file)).metadata).end
    except (OSError, pa.ArrowException, BaselineUnreadable):
        return None


def _rows_in(files: Iterable[Place]) -> int:
    """As far as footers can be read."""
    rows = 0
    for file in files:
        try:
            rows += pq.read_metadata(readable(file)).num_rows
        except (OSError, pa.ArrowException):
            continue
    return rows


def _with_starts(gaps: Iterable[Gap], hours: list[datetime]) -> list[Gap]:
    """A gap without a start begins with the end of the last hour before its end."""
    ends = [hour + HOUR for hour in hours]
    return [
        Gap(max((end for end in ends if end + _LATE < gap.end), default=None), gap.end)
        if gap.start is None
        else gap
        for gap in gaps
    ]


def watched_within(start: datetime, end: datetime, gaps: Iterable[Gap]) -> timedelta:
    """How much of the time from `start` to `end` lies in none of the gaps."""
    lost = timedelta(0)
    for gap in joined(gaps):
        lost += max(timedelta(0), min(gap.end, end) - max(gap.start or start, start))
    return end - start - lost
