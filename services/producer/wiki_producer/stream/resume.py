"""Where to resume, given what the topic's partitions say: the topic is the checkpoint."""

from collections.abc import Sequence
from dataclasses import dataclass

from wiki_producer.stream.position import Live, Position, ResumePoint, Since, oldest, resume_after


@dataclass(frozen=True)
class PartitionEnds:
    """The positions in a partition's first and last record of ours; None where none is found.

    `unwritten` is a partition that never had a record; one that retention has emptied is not.
    """

    partition: int
    unwritten: bool
    first: Position | None = None
    last: Position | None = None


def resume_point(partitions: Sequence[PartitionEnds], *, now_ms: int, max_age_ms: int) -> ResumePoint:
    """Where to resume, given the ends of all partitions of the topic.

    Partitions are acknowledged independently, so the oldest of their last records counts. The first record of
    an unwritten partition may have been lost, so with such a partition the topic's beginning counts. If a
    partition names no position, reading begins `max_age_ms` before now.
    """
    written = [each for each in partitions if not each.unwritten]
    if not written:
        return Live()
    found = [each.last for each in written]
    if len(written) < len(partitions):
        found += [each.first for each in written]
    positions = [position for position in found if position is not None]
    if len(positions) < len(found):
        return Since(now_ms - max_age_ms)
    return resume_after(oldest(positions), now_ms=now_ms, max_age_ms=max_age_ms)
