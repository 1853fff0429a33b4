"""The ends of a real topic, as they may be found, and where to resume from them."""

from collections.abc import Callable, Iterator

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from harness.kafka import Broker
from producer.events import sse_id
from producer.topics import make_topics, settings_for
from wiki_producer.kafka_client import connect_consumer
from wiki_producer.position import After, Live, Position, Since, parse_position
from wiki_producer.resume import LOOK_BACK, PartitionEnds, TopicMissing, read_ends, resume_point

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


def test_a_partition_that_others_wrote_to_counts_as_the_age_limit() -> None:
    assert point(ends(0, None, None), ends(1, None, NOW - 10)) == Since(NOW - AGE)


class Topic:
    """A topic to write to by hand."""

    def __init__(self, bootstrap_servers: str, name: str, partitions: int) -> None:
        self.settings = settings_for(bootstrap_servers, name, kafka_topic_partitions=partitions)
        make_topics(self.settings)
        self.name = name
        self._producer = KafkaProducer(bootstrap_servers=bootstrap_servers)

    def write(self, *timestamps: int | None, partition: int = 0) -> None:
        """A record per timestamp with the header, or with none."""
        for timestamp in timestamps:
            headers = [] if timestamp is None else [("last-event-id", sse_id(timestamp).encode())]
            self._producer.send(self.name, b"value", headers=headers, partition=partition)
        self._producer.flush()

    def commit_transaction(self, *, records: int) -> None:
        """Something else's records, and then the marker that ends their transaction."""
        servers = self.settings.kafka_bootstrap_servers
        producer = KafkaProducer(bootstrap_servers=list(servers), transactional_id=f"{self.name}-others")
        producer.init_transactions()
        producer.begin_transaction()
        for _ in range(records):
            producer.send(self.name, b"foreign", partition=0)
        producer.commit_transaction()
        producer.close()

    def cut(self, before: int, *, partition: int = 0) -> None:
        """Delete the records before an offset, as retention does."""
        with KafkaAdminClient(bootstrap_servers=list(self.settings.kafka_bootstrap_servers)) as admin:
            admin.delete_records({TopicPartition(self.name, partition): before})

    def last_timestamps(self) -> list[int | None]:
        return [None if each.last is None else each.last.timestamp for each in self.ends()]

    def ends(self) -> list[PartitionEnds]:
        consumer: KafkaConsumer = connect_consumer(self.settings, 60_000)
        with consumer:
            return read_ends(consumer, self.name)

    def close(self) -> None:
        self._producer.close()


@pytest.fixture
def make_topic(broker: Broker, new_topic_name: Callable[[], str]) -> Iterator[Callable[[int], Topic]]:
    made: list[Topic] = []

    def make(partitions: int) -> Topic:
        made.append(Topic(broker.bootstrap_servers, new_topic_name(), partitions))
        return made[-1]

    yield make
    for topic in made:
        topic.close()


MakeTopic = Callable[[int], Topic]


def test_the_last_record_of_one_partition(make_topic: MakeTopic) -> None:
    topic = make_topic(1)
    assert topic.ends() == [PartitionEnds(0, unwritten=True)]
    topic.write(1, 2, 3)
    assert topic.last_timestamps() == [3]


def test_the_last_record_of_each_of_12_partitions(make_topic: MakeTopic) -> None:
    topic = make_topic(12)
    for partition in range(12):
        topic.write(100 + partition, 200 + partition, partition=partition)
    assert topic.last_timestamps() == [200 + partition for partition in range(12)]


def test_the_first_records_are_read_while_a_partition_is_unwritten(make_topic: MakeTopic) -> None:
    topic = make_topic(2)
    topic.write(None, 5, 6)
    first, second = topic.ends()
    assert (first.first, first.last) == (position(5), position(6))
    assert second == PartitionEnds(1, unwritten=True)


@pytest.mark.parametrize("foreign", [1, 100, 2000])
def test_records_of_something_else_are_passed_over(make_topic: MakeTopic, foreign: int) -> None:
    topic = make_topic(1)
    topic.write(1, 2, *[None] * foreign)
    assert topic.last_timestamps() == [2]


def test_how_far_back_is_bounded(make_topic: MakeTopic) -> None:
    topic = make_topic(1)
    topic.write(1, *[None] * LOOK_BACK[-1])
    assert topic.last_timestamps() == [None]


@pytest.mark.parametrize("records", [0, 1, 70])
def test_transaction_markers_are_passed_over(make_topic: MakeTopic, records: int) -> None:
    topic = make_topic(1)
    topic.write(1, 2)
    topic.commit_transaction(records=records)
    topic.commit_transaction(records=records)
    assert topic.last_timestamps() == [2]


def test_a_retention_cut_leaves_what_is_behind_it(make_topic: MakeTopic) -> None:
    topic = make_topic(2)
    topic.write(1, 2, 3)
    topic.cut(2)
    [found, _] = topic.ends()
    assert (found.unwritten, found.first, found.last) == (False, None, position(3))


def test_a_topic_cut_to_nothing_resumes_at_the_age_limit(make_topic: MakeTopic) -> None:
    topic = make_topic(1)
    topic.write(1, 2, 3)
    topic.cut(3)
    assert point(*topic.ends()) == Since(NOW - AGE)


def test_an_unreadable_header_counts_as_none(make_topic: MakeTopic) -> None:
    topic = make_topic(1)
    topic.write(7)
    topic._producer.send(topic.name, b"value", headers=[("last-event-id", b"rubbish")])
    topic._producer.flush()
    assert topic.last_timestamps() == [7]


def test_a_missing_topic_is_named(broker: Broker) -> None:
    settings = settings_for(broker.bootstrap_servers, "nobody-made-this")
    with (
        connect_consumer(settings, 60_000) as consumer,
        pytest.raises(TopicMissing, match="nobody-made-this"),
    ):
        read_ends(consumer, "nobody-made-this")
