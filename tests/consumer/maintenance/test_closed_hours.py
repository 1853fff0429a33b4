import os
from datetime import UTC, datetime, timedelta

from consumer.volumes import CLOSED, HISTORY_END, NOW, Volume
from wiki_common.volume import BatchId, RawFile
from wiki_consumer.maintenance.closed_hours import PATIENCE, RawFileFooters, files_by_hour, modified_at
from wiki_consumer.volume.raw_files import EventTimes, list_raw_files

HOUR = timedelta(hours=1)
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
A, B, C = (RawFile(BatchId("20260131T120000Z", number), "date=2026-01-31") for number in range(3))
SPANS = {
    A: EventTimes(NOON, NOON + HOUR),
    B: EventTimes(NOON + timedelta(minutes=59), NOON + timedelta(minutes=59)),
    C: EventTimes(NOON + 3 * HOUR, NOON + 3.5 * HOUR),
}


def test_a_file_belongs_to_each_hour_that_it_touches_in_order() -> None:
    hours = files_by_hour(SPANS, since=None, until=NOON + 4 * HOUR)

    assert list(hours.items()) == [(NOON, [A, B]), (NOON + HOUR, [A]), (NOON + 3 * HOUR, [C])]


def test_an_hour_is_open_until_it_has_ended() -> None:
    assert list(files_by_hour(SPANS, since=None, until=NOON + 2 * HOUR - timedelta(seconds=1))) == [NOON]


def test_hours_that_the_history_covers_are_left_out() -> None:
    assert list(files_by_hour(SPANS, since=NOON + HOUR, until=NOON + 4 * HOUR)) == [
        NOON + HOUR,
        NOON + 3 * HOUR,
    ]


def test_an_unreadable_file_keeps_the_hours_from_its_date_on_open(volume: Volume) -> None:
    damaged = volume.raw_file_with("3-0")
    os.truncate(damaged, 100)

    survey = RawFileFooters(volume.changes).survey(list_raw_files(volume.changes), None, now=NOW)

    assert [damaged.name in str(error) for error in survey.awaited] == [True]
    assert survey.readable_until == datetime(2026, 2, 1, tzinfo=UTC)
    assert list(files_by_hour(survey.times, since=None, until=survey.readable_until)) == CLOSED[:2]


def test_an_unreadable_file_is_awaited_for_a_day(volume: Volume) -> None:
    damaged = volume.raw_file_with("3-0")
    os.truncate(damaged, 100)
    written = modified_at(damaged)
    assert written is not None

    for waited, lost in ((PATIENCE - timedelta(seconds=1), False), (PATIENCE, True)):
        survey = RawFileFooters(volume.changes).survey(
            list_raw_files(volume.changes), None, now=written + waited
        )
        assert (len(survey.awaited), len(survey.lost)) == (not lost, lost)
    assert list(files_by_hour(survey.times, since=None, until=survey.readable_until))[: len(CLOSED)] == CLOSED


def test_an_unreadable_file_from_before_the_historys_end_is_not_needed(volume: Volume) -> None:
    os.truncate(volume.raw_file_with("3-0"), 100)
    long_after = datetime.now(UTC) + HOUR

    survey = RawFileFooters(volume.changes).survey(list_raw_files(volume.changes), long_after, now=NOW)

    assert survey.awaited == []


def test_a_footer_is_read_once(volume: Volume) -> None:
    files = list_raw_files(volume.changes)
    times = RawFileFooters(volume.changes)
    first = times.survey(files, None, now=NOW)
    for path in volume.raw_files():
        path.unlink()

    assert times.survey(files, None, now=NOW) == first
    assert max(span.newest for span in first.times.values()) < HISTORY_END + HOUR
