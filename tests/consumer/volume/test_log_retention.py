from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.volumes import MAX_EVENT_AGE, NOW
from wiki_consumer.volume.log_retention import CLOCK_TOLERANCE, SLACK, fits, safe_retention, uncompacted_age
from wiki_consumer.volume.sink_log import CommittedFile, SinkLog

HOUR = timedelta(hours=1)
ages = st.timedeltas(timedelta(0), timedelta(days=400))


def log(*ages: timedelta) -> SinkLog:
    return SinkLog(len(ages), {str(age): CommittedFile(str(age), NOW - age) for age in ages})


def test_the_age_is_that_of_the_oldest_file() -> None:
    assert uncompacted_age(log(HOUR, 3 * HOUR, 2 * HOUR), None, NOW) == 3 * HOUR


def test_files_from_before_the_historys_end_are_compacted() -> None:
    end = NOW - 2 * HOUR

    assert uncompacted_age(log(HOUR, 3 * HOUR), end, NOW) == HOUR
    assert uncompacted_age(log(HOUR, 2 * HOUR + CLOCK_TOLERANCE), end, NOW) == 2 * HOUR + CLOCK_TOLERANCE


def test_without_files_there_is_no_age() -> None:
    assert uncompacted_age(log(), None, NOW) == timedelta(0)
    assert uncompacted_age(log(HOUR), NOW, NOW) == timedelta(0)


def test_while_all_is_well_the_retention_is_constant() -> None:
    usual = timedelta(hours=2, minutes=50)

    assert safe_retention(timedelta(0), MAX_EVENT_AGE) == usual
    assert safe_retention(timedelta(hours=1, minutes=46), MAX_EVENT_AGE) == usual


@given(age=ages)
def test_a_run_starts_with_a_retention_that_drops_nothing_for_an_hour(age: timedelta) -> None:
    retention = safe_retention(age, MAX_EVENT_AGE)

    assert retention >= age + SLACK
    assert fits(retention, age, MAX_EVENT_AGE)


@given(age=ages, retention=ages)
def test_a_run_is_ended_before_its_retention_reaches_an_uncompacted_file(
    age: timedelta, retention: timedelta
) -> None:
    if fits(retention, age, MAX_EVENT_AGE):
        assert retention - age >= timedelta(minutes=30)


def test_after_an_outage_the_log_is_shortened_again() -> None:
    long = safe_retention(timedelta(days=2), MAX_EVENT_AGE)

    assert long == timedelta(days=4)
    assert not fits(long, HOUR, MAX_EVENT_AGE)


@pytest.mark.parametrize(("days", "restarts"), [(1, 5), (30, 10)])
def test_an_hour_that_stays_open_asks_for_few_restarts(days: int, restarts: int) -> None:
    retention = safe_retention(timedelta(0), MAX_EVENT_AGE)
    counted = 0
    for minute in range(days * 24 * 60):
        age = timedelta(minutes=minute)
        if not fits(retention, age, MAX_EVENT_AGE):
            retention = safe_retention(age, MAX_EVENT_AGE)
            counted += 1

    assert counted <= restarts
