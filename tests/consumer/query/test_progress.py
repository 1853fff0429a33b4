from typing import Any

from wiki_consumer.query.progress import Batch, batch_of

# The parts of Spark's StreamingQueryProgress that are read, of a batch of eleven records.
PROGRESS: dict[str, Any] = {
    "batchId": 7,
    "timestamp": "2026-01-31T12:00:01.500Z",
    "durationMs": {"triggerExecution": 250},
    "stateOperators": [
        {
            "numRowsTotal": 40,
            "memoryUsedBytes": 1000,
            "numRowsDroppedByWatermark": 1,
            "customMetrics": {"numDroppedDuplicateRows": 2},
        }
    ],
    "sources": [
        {
            "endOffset": {"wiki-changes": {"0": 5, "1": 4}},
            "latestOffset": {"wiki-changes": {"0": 10, "1": 11}},
            "metrics": {"maxOffsetsBehindLatest": "7"},
        }
    ],
    "observedMetrics": {
        "records": {
            "rows": 11,
            "heartbeat": 2,
            "malformed": 1,
            "future": 1,
            "late": 1,
            "incomplete": 1,
            "malformed_sample": {"partition": 0, "offset": 3, "value": "{"},
            "oldest_record": "2026-01-31 11:59:59.25",
            "newest_record": "2026-01-31 12:00:00",
            "ahead": 600.5,
        },
        "changes": {"rows": 3},
    },
}


def accounted_for(batch: Batch) -> int:
    dropped = batch.malformed + batch.future + batch.late + batch.duplicates
    return batch.rows + batch.heartbeats + dropped


def test_a_batch_tells_what_became_of_its_records() -> None:
    batch = batch_of(PROGRESS)
    assert (batch.number, batch.seconds, batch.records, batch.rows) == (7, 0.25, 11, 3)
    assert batch.heartbeats == 2
    assert batch.freshness == {"oldest": 2.5, "newest": 1.75}
    assert (batch.malformed, batch.future, batch.late, batch.duplicates, batch.incomplete) == (1, 1, 2, 2, 1)
    assert (batch.lag_records, batch.lag_seconds) == (12, 1.5)
    assert batch.clock_skew_seconds == 600.5
    assert batch.next_offsets == {("wiki-changes", "0"): 5, ("wiki-changes", "1"): 4}
    assert batch.records == accounted_for(batch)


def test_nothing_lags_once_all_is_read() -> None:
    end = {"wiki-changes": {"0": 10, "1": 11}}
    batch = batch_of(PROGRESS | {"sources": [{"endOffset": end, "latestOffset": end}]})
    assert (batch.lag_records, batch.lag_seconds) == (0, 0.0)


def test_ids_that_were_known_at_a_reset_count_as_duplicates() -> None:
    observed = PROGRESS["observedMetrics"] | {"new": {"rows": 4}, "changes": {"rows": 1}}
    batch = batch_of(PROGRESS | {"observedMetrics": observed})
    assert batch.duplicates == 4
    assert batch.records == accounted_for(batch)


def test_a_batch_that_was_written_before_a_crash_has_no_counts() -> None:
    batch = batch_of(PROGRESS | {"observedMetrics": {}, "stateOperators": []})
    assert (batch.records, batch.rows, batch.duplicates, batch.heartbeats) == (0, 0, 0, 0)


def test_a_batch_without_records_has_no_delay_and_a_clock_that_is_behind_none_below_zero() -> None:
    observed = PROGRESS["observedMetrics"]
    later = observed | {"records": observed["records"] | {"newest_record": "2026-01-31 12:10:00"}}
    assert batch_of(PROGRESS | {"observedMetrics": later}).freshness == {"oldest": 2.5, "newest": 0.0}
    assert batch_of(PROGRESS | {"observedMetrics": {}, "stateOperators": []}).freshness == {}
