"""What the query says of each batch, from its own observed metrics and state operators."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pyspark.sql.streaming.listener import (
    QueryIdleEvent,
    QueryProgressEvent,
    QueryStartedEvent,
    QueryTerminatedEvent,
    StreamingQueryListener,
)

from wiki_consumer.query import changes
from wiki_consumer.query.pipeline import IN, NEW, OUT

RECORDS: Final = ("oldest", "newest")


@dataclass(frozen=True)
class Batch:
    """One committed batch. Counts are of records or rows; `lag_seconds`: age of the newest record read.

    `clock_skew_seconds`: how far our clock is behind the times of half of the events at least; None without
    events. `freshness`: how old the oldest and the newest record were when the batch ended, in seconds;
    empty without records. `next_offsets`: of the first record that wasn't read, by topic and partition.
    """

    number: int
    seconds: float
    records: int
    heartbeats: int
    malformed: int
    malformed_sample: Mapping[str, Any] | None
    incomplete: int
    future: int
    late: int
    duplicates: int
    rows: int
    lag_records: int
    lag_seconds: float
    clock_skew_seconds: float | None
    freshness: Mapping[str, float]
    next_offsets: Mapping[tuple[str, str], int]
    state_rows: int
    state_bytes: int


def batch_of(progress: Mapping[str, Any]) -> Batch:
    """From StreamingQueryProgress as JSON. A batch that only had to be marked as committed has no counts."""
    observed = progress.get("observedMetrics", {})
    came, went = observed.get(IN, {}), observed.get(OUT, {})
    states = progress.get("stateOperators", [])
    behind = sum(_behind(source) for source in progress["sources"])
    repeated = sum(state["customMetrics"].get("numDroppedDuplicateRows", 0) for state in states)
    return Batch(
        number=progress["batchId"],
        seconds=progress["durationMs"].get("triggerExecution", 0) / 1000,
        records=came.get("rows", 0),
        heartbeats=came.get(changes.HEARTBEAT, 0),
        malformed=came.get(changes.MALFORMED, 0),
        malformed_sample=came.get("malformed_sample"),
        incomplete=came.get("incomplete", 0),
        future=came.get(changes.FUTURE, 0),
        late=came.get(changes.LATE, 0) + sum(state["numRowsDroppedByWatermark"] for state in states),
        duplicates=repeated + _known(came, observed.get(NEW)),
        rows=went.get("rows", 0),
        lag_records=behind,
        lag_seconds=_age(came.get("newest_record"), progress["timestamp"]) if behind else 0.0,
        clock_skew_seconds=_skew(came.get("ahead")),
        freshness=_freshness(came, progress),
        next_offsets=_next_offsets(progress),
        state_rows=sum(state["numRowsTotal"] for state in states),
        state_bytes=sum(state["memoryUsedBytes"] for state in states),
    )


def _known(came: Mapping[str, Any], new: Mapping[str, Any] | None) -> int:
    """How many rows had an id that was known when the checkpoint began."""
    if new is None:
        return 0
    others = (changes.HEARTBEAT, changes.MALFORMED, changes.FUTURE, changes.LATE)
    kept: int = came["rows"] - sum(came[kind] for kind in others)
    return kept - int(new["rows"])


def _skew(ahead: float | None) -> float | None:
    """Events are older than now as a rule, by any time: only those that are ahead tell of our clock."""
    return None if ahead is None else max(ahead, 0.0)


def _freshness(came: Mapping[str, Any], progress: Mapping[str, Any]) -> dict[str, float]:
    took = progress["durationMs"].get("triggerExecution", 0) / 1000
    ages = {which: _seconds_since(came.get(f"{which}_record"), progress["timestamp"]) for which in RECORDS}
    return {which: max(age + took, 0.0) for which, age in ages.items() if age is not None}


def _behind(source: Mapping[str, Any]) -> int:
    """How many records all partitions together have beyond the batch's end."""
    read = source["endOffset"] or {}
    return sum(
        max(latest - read.get(topic, {}).get(partition, 0), 0)
        for topic, partitions in (source["latestOffset"] or {}).items()
        for partition, latest in partitions.items()
    )


def _next_offsets(progress: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    return {
        (topic, partition): offset
        for source in progress["sources"]
        for topic, partitions in (source["endOffset"] or {}).items()
        for partition, offset in partitions.items()
    }


def _age(time: str | None, now: str) -> float:
    return max(_seconds_since(time, now) or 0.0, 0.0)


def _seconds_since(time: str | None, now: str) -> float | None:
    """Negative if `time` is after `now`; None without a time."""
    if time is None:
        return None
    # Observed times are in the session's zone, UTC, and don't say so.
    then = datetime.fromisoformat(time).replace(tzinfo=UTC)
    return (datetime.fromisoformat(now) - then).total_seconds()


class Listener(StreamingQueryListener):
    """Hands each batch to `on_batch`, and calls `on_idle` while there is nothing to read."""

    def __init__(self, on_batch: Callable[[Batch], None], on_idle: Callable[[], None]) -> None:
        self._on_batch = on_batch
        self._on_idle = on_idle

    def onQueryStarted(self, event: QueryStartedEvent) -> None:
        pass

    def onQueryProgress(self, event: QueryProgressEvent) -> None:
        self._on_batch(batch_of(json.loads(event.progress.json)))

    def onQueryIdle(self, event: QueryIdleEvent) -> None:
        self._on_idle()

    def onQueryTerminated(self, event: QueryTerminatedEvent) -> None:
        pass
