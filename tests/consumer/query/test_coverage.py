"""What a batch's rows, its clock and the batch before tell of coverage."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from wiki_common.coverage import Coverage, Gap
from wiki_consumer.query.changes import COVERAGE_COLUMNS
from wiki_consumer.query.coverage import coverage_of

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
AGE = timedelta(minutes=30)
TIME = pa.timestamp("us", "UTC")

Row = tuple[float | None, float | None, float]
"""Covered until, covered from, written at: in minutes after NOON."""


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def seen(until: float) -> Row:
    return until, None, until


def begin(since: float, *, until: float, written: float) -> Row:
    return until, since, written


def after(*rows: Row, before: float | None, clock: float = 0) -> Coverage:
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    table = pa.table(
        {
            name: pa.array([None if minutes is None else at(minutes) for minutes in column], TIME)
            for name, column in zip(COVERAGE_COLUMNS, columns, strict=True)
        }
    )
    last = None if before is None else at(before)
    return coverage_of(table, before=last, clock=at(clock), max_event_age=AGE)


def gap(start: float | None, end: float) -> Gap:
    return Gap(None if start is None else at(start), at(end))


def test_all_is_counted_up_to_the_latest_that_a_record_shows() -> None:
    assert after(seen(-2), seen(-1), (None, None, 0), before=-3) == Coverage(at(-1))
    assert after(seen(-2), before=-1) == Coverage(at(-1))
    assert after(before=-1) == Coverage(at(-1))


def test_nothing_is_known_before_the_first_record_that_tells() -> None:
    assert after(before=None) == Coverage()
    assert after((None, None, 0), before=None) == Coverage()
    assert after(begin(-2, until=-2, written=-1), before=None) == Coverage(at(-2), (gap(None, -2),))


def test_a_topic_from_before_heartbeats_is_known_as_far_back_as_changes_are_kept() -> None:
    assert after(seen(-50), seen(-1), before=None) == Coverage(at(-1), (gap(None, -30),))
    assert after(seen(-50), before=None) == Coverage(at(-50), (gap(None, -50),))


def test_what_was_given_up_is_a_gap_from_where_the_coverage_before_ended() -> None:
    """Also within a batch: rows that were written before tell where, others that are as old don't."""
    assert after(begin(-5, until=-4, written=-1), before=-20) == Coverage(at(-4), (gap(-20, -5),))
    same_batch = after(seen(-15), begin(-5, until=-4, written=-1), (-6, None, -0.5), before=-20)
    assert same_batch == Coverage(at(-4), (gap(-15, -5),))


def test_each_partition_tells_of_the_same_gap_and_several_gaps_may_be_in_a_batch() -> None:
    told = after(
        begin(-20, until=-20, written=-19),
        begin(-20, until=-20, written=-18.9),
        seen(-15),
        begin(-10, until=-9, written=-8),
        begin(-10, until=-9, written=-7.9),
        before=-25,
    )
    assert told == Coverage(at(-9), (gap(-25, -20), gap(-15, -10)))


def test_a_coverage_that_begins_where_the_last_one_is_leaves_no_gap() -> None:
    assert after(begin(-5, until=-4, written=-1), before=-5) == Coverage(at(-4))
    assert after(begin(-5, until=-4, written=-1), before=-3) == Coverage(at(-3))


def test_what_was_too_old_by_then_is_a_gap_as_far_as_the_records_went() -> None:
    """A consumer that was down for two hours reads them batch by batch: the gaps follow each other."""
    assert after(seen(-80), before=-120) == Coverage(at(-80), (gap(-120, -80),))
    assert after(seen(-60), seen(-20), before=-80) == Coverage(at(-20), (gap(-80, -30),))
    assert after(seen(-10), before=-20, clock=1) == Coverage(at(-10))


def test_a_clock_that_is_far_ahead_says_nothing_of_the_time_to_come() -> None:
    assert after(seen(1), before=0, clock=24 * 60) == Coverage(at(1), (gap(0, 1),))
    assert after(seen(2), before=1, clock=0) == Coverage(at(2))


def test_gaps_that_touch_are_one() -> None:
    assert after(begin(-35, until=-34, written=-1), seen(-1), before=-60).gaps == (gap(-60, -30),)
