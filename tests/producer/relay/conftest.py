"""Topics of their own for these tests, and a client that publishes to them."""

from collections.abc import Callable, Iterator

import pytest
from kafka import KafkaProducer

from harness.kafka import Broker
from producer.topics import make_topics, settings_for
from wiki_producer.kafka.client import connect_producer
from wiki_producer.settings import Settings


@pytest.fixture
def settings(broker: Broker, new_topic_name: Callable[[], str]) -> Settings:
    settings = settings_for(broker.bootstrap_servers, new_topic_name(), kafka_topic_partitions=3)
    make_topics(settings)
    return settings


@pytest.fixture
def kafka(settings: Settings) -> Iterator[KafkaProducer]:
    producer = connect_producer(settings, 30_000)
    yield producer
    producer.close()
