from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from consumer.query.test_progress import PROGRESS
from wiki_consumer.query.batch_log import INTERVAL_SECONDS, BatchLog
from wiki_consumer.query.progress import batch_of

BATCH = replace(batch_of(PROGRESS), late=0, future=0, malformed=0, malformed_sample=None)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_what_was_dropped_is_said_at_once_and_then_summed_up_once_a_minute(clock: Clock) -> None:
    log = BatchLog(clock)
    with capture_logs() as lines:
        log.take(BATCH)
        assert lines == []
        log.take(replace(BATCH, number=7, late=3))
        log.take(replace(BATCH, number=8, late=4, future=1))
        log.take(replace(BATCH, number=9, late=5, future=1))
        log.take(replace(BATCH, number=10))
        clock.now += INTERVAL_SECONDS - 1
        log.say()
        clock.now += 1
        log.say()
        log.say()

    found = [line for line in lines if line["event"] == "records dropped"]
    assert [(each["older_than_max_event_age"], each["in_the_future"], each["batch"]) for each in found] == [
        (3, 0, 7),
        (9, 2, 9),
    ]
    assert {line["log_level"] for line in found} == {"warning"}


def test_malformed_records_in_every_batch_are_a_line_a_minute_with_a_sample(clock: Clock) -> None:
    log = BatchLog(clock)
    with capture_logs() as lines:
        for number in range(121):
            log.take(replace(BATCH, number=number, malformed=2, malformed_sample={"offset": number}))
            clock.now += 1
    found = [line for line in lines if line["event"] == "malformed records"]
    assert [(each["count"], each["batch"], each["sample"]) for each in found] == [
        (2, 0, {"offset": 0}),
        (120, 60, {"offset": 60}),
        (120, 120, {"offset": 120}),
    ]


def test_what_goes_well_is_a_line_a_minute(clock: Clock) -> None:
    log = BatchLog(clock)
    with capture_logs() as lines:
        for number in range(61):
            log.take(replace(BATCH, number=number, records=5, rows=4, heartbeats=1, lag_records=3))
            clock.now += 1
        for _ in range(60):
            clock.now += 1
            log.say()
    assert lines == [
        {
            "event": "batches committed",
            "log_level": "info",
            "seconds": 60,
            "batches": batches,
            "records": 5 * batches,
            "heartbeats": batches,
            "rows": 4 * batches,
            "batch": 60,
            "lag_records": 3,
        }
        for batches in (61, 0)
    ]
