"""The first and last positions in the topic: records carry the SSE id of their event as a header."""

import time
from collections.abc import Sequence
from typing import Final

import structlog
from kafka import KafkaConsumer, TopicPartition

from wiki_producer.kafka.publisher import LAST_EVENT_ID
from wiki_producer.stream.position import Position, UnreadablePosition, parse_position
from wiki_producer.stream.resume import PartitionEnds

# How far back to look for a record of ours among those that something else wrote.
LOOK_BACK: Final = (1, 64, 1_024, 10_000)
_READ_TIMEOUT_SECONDS: Final = 60.0

log = structlog.get_logger(__name__)


class TopicMissing(Exception):
    """There is no such topic."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"there is no topic {topic}: run topic_init first")


class TopicUnreadable(Exception):
    """The topic's last records did not come in time."""


def read_ends(consumer: KafkaConsumer, topic: str) -> list[PartitionEnds]:
    """The ends of each partition of `topic`. Raises TopicMissing, TopicUnreadable."""
    numbers = consumer.partitions_for_topic(topic)
    if not numbers:
        raise TopicMissing(topic)
    partitions = [TopicPartition(topic, number) for number in sorted(numbers)]
    consumer.assign(partitions)
    begins = consumer.beginning_offsets(partitions)
    ends = consumer.end_offsets(partitions)
    some_unwritten = any(ends[each] == 0 for each in partitions)
    return [
        PartitionEnds(
            each.partition,
            unwritten=ends[each] == 0,
            # Retention may have deleted the first record: then the rest says nothing about it.
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
    """The positions in [lower, upper); an offset may also be a marker, a gap, or another writer's record."""
    if lower >= upper:
        return []
    deadline = time.monotonic() + _READ_TIMEOUT_SECONDS
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
