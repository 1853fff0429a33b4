"""The ends of a real topic, as they may be found."""

from collections.abc import Callable, Iterator

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from harness.kafka import Broker
from producer.events import sse_id
from producer.topics import make_topics, settings_for
from wiki_producer.kafka.client import connect_consumer
from wiki_producer.kafka.topic_ends import LOOK_BACK, TopicMissing, read_ends
from wiki_producer.stream.position import Position, parse_position
from wiki_producer.stream.resume import PartitionEnds


def position(timestamp: int) -> Position:
    return parse_position(sse_id(timestamp))


class Topic:
    """A topic to write to by hand."""

    def __init__(self, bootstrap_servers: str, name: str, partitions: int) -> None:
        self.settings = settings_for(bootstrap_servers, name, kafka_topic_partitions=partitions)
        make_topics(self.settings)
        self.name = name
        self.producer = KafkaProducer(bootstrap_servers=bootstrap_servers)

    def write(self, *timestamps: int | None, partition: int = 0) -> None:
        """A record per timestamp with the header, or with none."""
        for timestamp in timestamps:
            headers = [] if timestamp is None else [("last-event-id", sse_id(timestamp).encode())]
            self.producer.send(self.name, b"value", headers=headers, partition=partition)
        self.producer.flush()

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
        self.producer.close()


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


def test_a_topic_cut_to_nothing_names_no_position_but_was_written(make_topic: MakeTopic) -> None:
    topic = make_topic(1)
    topic.write(1, 2, 3)
    topic.cut(3)
    assert topic.ends() == [PartitionEnds(0, unwritten=False)]


def test_an_unreadable_header_counts_as_none(make_topic: MakeTopic) -> None:
    topic = make_topic(1)
    topic.write(7)
    topic.producer.send(topic.name, b"value", headers=[("last-event-id", b"rubbish")])
    topic.producer.flush()
    assert topic.last_timestamps() == [7]


def test_a_missing_topic_is_named(broker: Broker) -> None:
    settings = settings_for(broker.bootstrap_servers, "nobody-made-this")
    with (
        connect_consumer(settings, 60_000) as consumer,
        pytest.raises(TopicMissing, match="nobody-made-this"),
    ):
        read_ends(consumer, "nobody-made-this")
