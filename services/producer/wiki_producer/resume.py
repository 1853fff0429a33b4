"""Where to resume: the topic is the checkpoint, its last records name their positions in the stream."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from kafka import KafkaConsumer, TopicPartition

from wiki_producer.position import (
    Live,
    Position,
    ResumePoint,
    Since,
    UnreadablePosition,
    oldest,
    parse_position,
    resume_after,
)
from wiki_producer.publisher import LAST_EVENT_ID

# How far back to look for a record of ours among those that something else wrote.
LOOK_BACK = (1, 64, 1_024, 10_000)
READ_TIMEOUT_SECONDS = 60.0

log = structlog.get_logger(__name__)


class TopicMissing(Exception):
    """There is no such topic."""


class TopicUnreadable(Exception):
    """The topic's last records did not come in time."""


@dataclass(frozen=True)
class PartitionEnds:
    """What a partition says: the positions of its first and last record of ours, None where none is found.

    `unwritten` is one that never had a record; what retention has emptied is not.
    """

    partition: int
    unwritten: bool
    first: Position | None = None
    last: Position | None = None


def resume_point(partitions: Sequence[PartitionEnds], *, now_ms: int, max_age_ms: int) -> ResumePoint:
    """Where to resume, given the ends of all partitions of the topic.

    Partitions are acknowledged independently, so the oldest last record counts. An unwritten partition may
    have lost its first record, so then the topic's beginning counts. If a partition does not tell, it is
    `max_age_ms` before now.
    """
    written = [each for each in partitions if not each.unwritten]
    if not written:
        return Live()
    told = [each.last for each in written]
    if len(written) < len(partitions):
        told += [each.first for each in written]
    positions = [position for position in told if position is not None]
    if len(positions) < len(told):
        return Since(now_ms - max_age_ms)
    return resume_after(oldest(positions), now_ms=now_ms, max_age_ms=max_age_ms)


def read_ends(consumer: KafkaConsumer, topic: str) -> list[PartitionEnds]:
    """The ends of each partition of `topic`. Raises TopicMissing, TopicUnreadable."""
    numbers = consumer.partitions_for_topic(topic)
    if not numbers:
        raise TopicMissing(f"there is no topic {topic}: run topic_init first")
    partitions = [TopicPartition(topic, number) for number in sorted(numbers)]
    consumer.assign(partitions)
    begins = consumer.beginning_offsets(partitions)
    ends = consumer.end_offsets(partitions)
    some_unwritten = any(ends[each] == 0 for each in partitions)
    return [
        PartitionEnds(
            each.partition,
            unwritten=ends[each] == 0,
            # Behind a retention cut the beginning is not known any more.
            first=_first(consumer, each, ends[each]) if some_unwritten and begins[each] == 0 else None,
            last=_last(consumer, each, begins[each], ends[each]),
        )
        for each in partitions
    ]


def _first(consumer: KafkaConsumer, partition: TopicPartition, end: int) -> Position | None:
    positions = _positions(consumer, partition, 0, min(end, LOOK_BACK[-1]))
    return positions[0] if positions else None


def _last(consumer: KafkaConsumer, partition: TopicPartition, begin: int, end: int) -> Position | None:
    upper = end
    for distance in LOOK_BACK:
        lower = max(begin, end - distance)
        positions = _positions(consumer, partition, lower, upper)
        if positions:
            return positions[-1]
        upper = lower
    if begin < end:
        log.warning("no position in the last records", partition=partition.partition, looked_at=end - upper)
    return None


def _positions(consumer: KafkaConsumer, partition: TopicPartition, lower: int, upper: int) -> list[Position]:
    """The positions in [lower, upper), where offsets may also be markers, gaps or others' records."""
    if lower >= upper:
        return []
    deadline = time.monotonic() + READ_TIMEOUT_SECONDS
    consumer.pause(*consumer.assignment())
    consumer.resume(partition)
    consumer.seek(partition, lower)
    positions = []
    while consumer.position(partition) < upper:
        if time.monotonic() > deadline:
            raise TopicUnreadable(
                f"topic {partition.topic} partition {partition.partition}: no record in time"
            )
        for record in consumer.poll(timeout_ms=500).get(partition, ()):
            position = _position(record.headers) if record.offset < upper else None
            if position is not None:
                positions.append(position)
    return positions


def _position(headers: Sequence[tuple[str, bytes]]) -> Position | None:
    for name, value in headers:
        if name == LAST_EVENT_ID:
            try:
                return parse_position(value)
            except UnreadablePosition as error:
                log.warning("unreadable position in the topic", reason=str(error))
    return None
