"""docs/operations.md: partitions are added while the consumer runs."""

from contextlib import closing
from pathlib import Path

from kafka.admin import KafkaAdminClient

from consumer import topics
from consumer.running import Consumer, committed_ids
from consumer.topics import event
from harness.kafka import Broker


def test_each_change_of_partitions_that_are_added_is_counted_once(
    tmp_path: Path, broker: Broker, topic: str
) -> None:
    servers = broker.bootstrap_servers
    with closing(Consumer(tmp_path, servers, topic)) as consumer:
        consumer.start()
        with closing(topics.Writer(servers, topic)) as writer:
            writer.write([event(number) for number in range(50)])
        consumer.wait_for_ids({f"event-{number}" for number in range(50)})
        with closing(KafkaAdminClient(bootstrap_servers=servers)) as admin:
            admin.create_partitions({topic: 3})
            admin.wait_for_topics([topic])
        with closing(topics.Writer(servers, topic)) as writer:
            writer.write([event(number) for number in range(40, 200)])
        expected = {f"event-{number}" for number in range(200)}
        consumer.wait_for_ids(expected)
        assert committed_ids(consumer.data) == dict.fromkeys(expected, 1)
        assert consumer.output().count("query started") == 1
