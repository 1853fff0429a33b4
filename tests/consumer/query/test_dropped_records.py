from dataclasses import replace

from structlog.testing import capture_logs

from consumer.query.test_progress import PROGRESS
from wiki_consumer.query.dropped_records import INTERVAL_SECONDS, DroppedRecordsLog
from wiki_consumer.query.progress import batch_of

BATCH = batch_of(PROGRESS)


def test_is_said_at_once_and_then_summed_up_once_a_minute() -> None:
    seconds = 1000.0
    dropped = DroppedRecordsLog(lambda: seconds)
    with capture_logs() as lines:
        dropped.take(replace(BATCH, late=0, future=0))
        assert lines == []
        dropped.take(replace(BATCH, late=3, future=0))
        dropped.take(replace(BATCH, late=4, future=1))
        dropped.take(replace(BATCH, late=5, future=1))
        seconds += INTERVAL_SECONDS - 1
        dropped.say()
        seconds += 1
        dropped.say()
        dropped.say()

    assert [(line["older_than_max_event_age"], line["in_the_future"]) for line in lines] == [(3, 0), (9, 2)]
    assert {line["log_level"] for line in lines} == {"warning"}
