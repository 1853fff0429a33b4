"""The time line: a column for each hour, gaps, the place of the moment, and the way to each whole day."""

from datetime import UTC, datetime, timedelta

import pytest

from web.committed import Change, CommittedChanges
from web.data.held import HOUR
from wiki_common.coverage import Coverage, Gap
from wiki_web.data.past.kept import KeptHours
from wiki_web.page.charts import columns, unknown_columns
from wiki_web.page.kept_days import KeptDays, kept_days

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)


def days(committed: CommittedChanges, moment: datetime | None = None) -> KeptDays | None:
    return kept_days(KeptHours(committed.data_dir).look(), moment, lambda until: f"until {until:%d %H:%M}")


def close(committed: CommittedChanges, hour: datetime, changes: int, gap: Gap | None = None) -> None:
    covered = Coverage(None, (gap,)) if gap else None
    committed.close_hour(hour, [Change(hour)] * changes, covered=covered)


def test_without_any_hour_there_is_none(committed: CommittedChanges) -> None:
    assert days(committed) is None


def test_hours_are_columns_and_what_nobody_watched_is_told(committed: CommittedChanges) -> None:
    close(committed, MIDNIGHT, 3)
    close(committed, MIDNIGHT + 3 * HOUR, 1, Gap(MIDNIGHT + HOUR, MIDNIGHT + 3 * HOUR))
    line = days(committed)
    assert line is not None
    assert (line.start, line.hours, line.at) == (MIDNIGHT, 4, None)
    assert line.bars == columns([3, None, None, 1], 3)
    assert line.unknown == unknown_columns([3, None, None, 1])
    times = "from 2026-03-01 00:00 to 2026-03-01 04:00 UTC"
    assert line.summary == f"Changes per hour {times}: between 1 and 3; 2 of 4 hours not known."


def test_whole_days_that_are_over_have_an_address(committed: CommittedChanges) -> None:
    close(committed, MIDNIGHT - 5 * HOUR, 1)
    close(committed, MIDNIGHT + 23 * HOUR, 1)
    line = days(committed)
    assert line is not None
    assert [(day.name, day.url) for day in line.days] == [
        ("Sat 28 Feb", "until 01 00:00"),
        ("Sun 01 Mar", "until 02 00:00"),
    ]
    close(committed, MIDNIGHT + 24 * HOUR, 1)
    longer = days(committed)
    assert longer is not None
    assert longer.days == line.days


@pytest.mark.parametrize(
    ("after", "at", "hour"),
    [
        (timedelta(minutes=90), 1.5, 2),
        (timedelta(minutes=1), 1 / 60, 1),
        (4 * HOUR, 4, 4),
        (40 * HOUR, 4, 4),
    ],
)
def test_a_moment_has_its_place_and_the_hour_nearest_to_it(
    committed: CommittedChanges, after: timedelta, at: float, hour: int
) -> None:
    close(committed, MIDNIGHT, 1)
    close(committed, MIDNIGHT + 3 * HOUR, 1)
    line = days(committed, MIDNIGHT + after)
    assert line is not None
    assert line.at == pytest.approx(at)
    assert (line.hour, line.hour_ends) == (hour, MIDNIGHT + hour * HOUR)


def test_of_a_history_of_many_months_the_end_is_shown(committed: CommittedChanges) -> None:
    close(committed, MIDNIGHT - 90 * 24 * HOUR, 1)
    close(committed, MIDNIGHT, 1)
    line = days(committed)
    assert line is not None
    assert (line.hours, line.start) == (31 * 24, MIDNIGHT + HOUR - 31 * 24 * HOUR)
