import os
from datetime import UTC, datetime, timedelta

from consumer.volumes import CLOSED, HISTORY_END, NOW, Volume
from wiki_consumer.maintenance.closed_hours import PATIENCE, RawFileTimes, files_by_hour
from wiki_consumer.volume.raw_files import EventTimes, list_raw_files
from wiki_consumer.volume.sink_log import read_sink_log

HOUR = timedelta(hours=1)
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
SPANS = {
    "a": EventTimes(NOON, NOON + HOUR),
    "b": EventTimes(NOON + timedelta(minutes=59), NOON + timedelta(minutes=59)),
    "c": EventTimes(NOON + 3 * HOUR, NOON + 3.5 * HOUR),
}


def test_a_file_belongs_to_each_hour_that_it_touches_in_order() -> None:
    hours = files_by_hour(SPANS, since=None, until=NOON + 4 * HOUR)

    assert list(hours.items()) == [(NOON, ["a", "b"]), (NOON + HOUR, ["a"]), (NOON + 3 * HOUR, ["c"])]


def test_an_hour_is_open_until_it_has_ended() -> None:
    assert list(files_by_hour(SPANS, since=None, until=NOON + 2 * HOUR - timedelta(seconds=1))) == [NOON]


def test_hours_that_the_history_covers_are_left_out() -> None:
    assert list(files_by_hour(SPANS, since=NOON + HOUR, until=NOON + 4 * HOUR)) == [
        NOON + HOUR,
        NOON + 3 * HOUR,
    ]


def test_an_unreadable_leftover_is_passed_over(volume: Volume) -> None:
    leftover = volume.raw_files()[0].with_name("part-left.parquet")
    leftover.write_bytes(b"PAR1")

    survey = RawFileTimes(volume.changes).survey(
        list_raw_files(volume.changes), read_sink_log(volume.changes), None, now=NOW
    )

    assert survey.awaited == []
    assert survey.times.keys() == read_sink_log(volume.changes).files.keys()


def test_an_unreadable_committed_file_keeps_the_hours_from_its_date_on_open(volume: Volume) -> None:
    damaged = volume.raw_file_with("3-0")
    os.truncate(damaged, 100)

    survey = RawFileTimes(volume.changes).survey(set(), read_sink_log(volume.changes), None, now=NOW)

    assert [damaged.name in str(error) for error in survey.awaited] == [True]
    assert survey.readable_until == datetime(2026, 2, 1, tzinfo=UTC)
    assert list(files_by_hour(survey.times, since=None, until=survey.readable_until)) == CLOSED[:2]


def test_an_unreadable_committed_file_is_awaited_for_a_day(volume: Volume) -> None:
    damaged = volume.raw_file_with("3-0")
    os.truncate(damaged, 100)
    log = read_sink_log(volume.changes)
    written = log.files[f"{damaged.parent.name}/{damaged.name}"].modified_at

    for waited, lost in ((PATIENCE - timedelta(seconds=1), False), (PATIENCE, True)):
        survey = RawFileTimes(volume.changes).survey(set(), log, None, now=written + waited)
        assert (len(survey.awaited), len(survey.lost)) == (not lost, lost)
    assert list(files_by_hour(survey.times, since=None, until=survey.readable_until))[: len(CLOSED)] == CLOSED


def test_an_unreadable_file_from_before_the_historys_end_is_not_needed(volume: Volume) -> None:
    os.truncate(volume.raw_file_with("3-0"), 100)
    long_after = datetime.now(UTC) + HOUR

    survey = RawFileTimes(volume.changes).survey(set(), read_sink_log(volume.changes), long_after, now=NOW)

    assert survey.awaited == []


def test_a_footer_is_read_once(volume: Volume) -> None:
    log = read_sink_log(volume.changes)
    times = RawFileTimes(volume.changes)
    first = times.survey(set(), log, None, now=NOW)
    for path in volume.raw_files():
        path.unlink()

    assert times.survey(set(), log, None, now=NOW) == first
    assert max(span.newest for span in first.times.values()) < HISTORY_END + HOUR
