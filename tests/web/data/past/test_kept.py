"""Which hours are kept, how many changes each has, and that a footer is read once."""

import os
from datetime import timedelta

import pytest

from web.committed import NOON, Change, CommittedChanges
from web.data.held import HOUR
from wiki_common.coverage import Coverage, Gap
from wiki_web.data.past.kept import KeptHours
from wiki_web.data.rows import microseconds

MINUTE = timedelta(minutes=1)


@pytest.fixture
def hours(committed: CommittedChanges) -> KeptHours:
    return KeptHours(committed.data_dir)


def test_each_hour_has_its_changes_and_one_without_a_file_none(
    committed: CommittedChanges, hours: KeptHours
) -> None:
    assert hours.look().per_hour() == []
    committed.close_hour(NOON - 3 * HOUR, [Change(NOON - 3 * HOUR), Change(NOON - 2.5 * HOUR, type="log")])
    committed.close_hour(NOON, [Change(NOON)])
    seen = hours.look()
    assert seen.per_hour() == [2, 0, 0, 1]
    assert (seen.first_us, seen.end_us) == (microseconds(NOON - 3 * HOUR), microseconds(NOON + HOUR))


def test_hours_that_nobody_watched_are_not_known_those_watched_in_part_are(
    committed: CommittedChanges, hours: KeptHours
) -> None:
    """The gap is told by the hour that it ends in."""
    lost = Gap(NOON - 2 * HOUR - MINUTE, NOON + MINUTE)
    committed.close_hour(NOON - 3 * HOUR, [Change(NOON - 3 * HOUR)])
    committed.close_hour(NOON, [Change(NOON + 2 * MINUTE)], covered=Coverage(None, (lost,)))
    assert hours.look().per_hour() == [1, None, None, 1]


def test_an_hour_that_can_not_be_read_is_not_known_and_holds_up_no_other(
    committed: CommittedChanges, hours: KeptHours
) -> None:
    committed.close_hour(NOON - HOUR, [Change(NOON - HOUR)]).write_bytes(b"torn")
    committed.close_hour(NOON, [Change(NOON)])
    assert hours.look().per_hour() == [None, 1]
    assert hours.look().per_hour() == [None, 1]


def test_a_footer_is_read_once_until_its_file_is_written_anew(
    committed: CommittedChanges, hours: KeptHours
) -> None:
    """Other bytes of the same size and time: who read them would find no footer."""
    files = [committed.close_hour(start, [Change(start)]) for start in (NOON - HOUR, NOON)]
    assert hours.look().per_hour() == [1, 1]
    for file in files:
        before = file.stat()
        file.write_bytes(bytes(before.st_size))
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert hours.look().per_hour() == [1, 1]
    committed.close_hour(NOON, [Change(NOON), Change(NOON)])
    assert hours.look().per_hour() == [1, 2]
    assert KeptHours(committed.data_dir).look().per_hour() == [None, 2], "another one reads them"


def test_what_was_seen_is_a_minute_old_at_most(committed: CommittedChanges) -> None:
    now = 0.0
    hours = KeptHours(committed.data_dir, lambda: now)
    committed.close_hour(NOON, [Change(NOON)])
    first = hours.seen()
    committed.close_hour(NOON + HOUR, [Change(NOON + HOUR)])
    now = 59.0
    assert hours.seen() is first
    now = 61.0
    assert len(hours.seen().hours) == 2
    assert hours.seen().key != first.key


def test_a_deleted_hour_is_not_kept_any_more(committed: CommittedChanges, hours: KeptHours) -> None:
    first = committed.close_hour(NOON, [Change(NOON)])
    committed.close_hour(NOON + HOUR, [Change(NOON + HOUR)])
    assert len(hours.look().hours) == 2
    first.unlink()
    assert hours.look().first_us == microseconds(NOON + HOUR)
