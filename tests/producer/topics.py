"""What a topic holds, and topics made as topic_init makes them."""

import json
from dataclasses import dataclass
from functools import cached_property

from kafka import KafkaConsumer, TopicPartition

from wiki_producer.kafka.client import connect_admin
from wiki_producer.kafka.topic_creation import init_topics
from wiki_producer.settings import Settings


@dataclass(frozen=True)
class Record:
    """A record as a consumer sees it."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: dict[str, bytes]
    timestamp: int
    """ms since the epoch"""

    @property
    def is_heartbeat(self) -> bool:
        return self.key is None and b'"domain":"canary"' in self.value

    @cached_property
    def event_id(self) -> str:
        """The `meta.id`."""
        return str(json.loads(self.value)["meta"]["id"])


def settings_for(bootstrap_servers: str, topic: str, **values: object) -> Settings:
    return Settings.model_validate(
        {"kafka_bootstrap_servers": bootstrap_servers, "kafka_topic": topic, **values}
    )


def make_topics(settings: Settings) -> None:
    admin = connect_admin(settings, 60_000)
    try:
        init_topics(admin, settings)
    finally:
        admin.close()


class TopicReader:
    """Reads a topic from its beginning; each `read` adds what has come since, and keeps no connection."""

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._topic = topic
        self._offsets: dict[TopicPartition, int] = {}
        self.records: list[Record] = []

    def read(self) -> list[Record]:
        """All records up to the ends that the partitions have now, in order within each partition."""
        with KafkaConsumer(bootstrap_servers=self._bootstrap_servers, enable_auto_commit=False) as consumer:
            numbers = consumer.partitions_for_topic(self._topic)
            partitions = [TopicPartition(self._topic, number) for number in sorted(numbers)]
            consumer.assign(partitions)
            for partition in partitions:
                consumer.seek(partition, self._offsets.get(partition, 0))
            ends = consumer.end_offsets(partitions)
            while any(consumer.position(each) < ends[each] for each in partitions):
                for batch in consumer.poll(timeout_ms=200).values():
                    self.records += [
                        Record(
                            each.partition,
                            each.offset,
                            each.key,
                            each.value,
                            dict(each.headers),
                            each.timestamp,
                        )
                        for each in batch
                    ]
            self._offsets = {each: consumer.position(each) for each in partitions}
        return self.records
