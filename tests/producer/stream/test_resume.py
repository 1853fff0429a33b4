from producer.events import sse_id
from wiki_producer.stream.position import After, Live, Position, Since, parse_position
from wiki_producer.stream.resume import PartitionEnds, resume_point

NOW = 1_795_474_801_000
AGE = 30 * 60_000
REWIND = 2_000


def position(timestamp: int) -> Position:
    return parse_position(sse_id(timestamp))


def point(*partitions: PartitionEnds) -> Live | After | Since:
    return resume_point(partitions, now_ms=NOW, max_age_ms=AGE)


def ends(number: int, first: int | None, last: int | None) -> PartitionEnds:
    return PartitionEnds(
        number,
        unwritten=False,
        first=None if first is None else position(first),
        last=None if last is None else position(last),
    )


def test_an_empty_topic_starts_live() -> None:
    assert point(PartitionEnds(0, unwritten=True), PartitionEnds(1, unwritten=True)) == Live()


def test_the_oldest_last_record_counts() -> None:
    assert point(ends(0, None, NOW - 10), ends(1, None, NOW - 70)) == After(
        position(NOW - 70).rewound(REWIND)
    )


def test_with_an_unwritten_partition_the_topics_beginning_counts() -> None:
    found = point(
        ends(0, NOW - 900, NOW - 10), PartitionEnds(1, unwritten=True), ends(2, NOW - 800, NOW - 20)
    )
    assert found == After(position(NOW - 900).rewound(REWIND))


def test_with_an_unwritten_partition_and_no_beginning_the_age_limit_counts() -> None:
    assert point(ends(0, None, NOW - 10), PartitionEnds(1, unwritten=True)) == Since(NOW - AGE)


def test_a_partition_that_others_wrote_to_or_that_was_cut_to_nothing_counts_as_the_age_limit() -> None:
    assert point(ends(0, None, None), ends(1, None, NOW - 10)) == Since(NOW - AGE)
