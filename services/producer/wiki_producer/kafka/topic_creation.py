"""Makes the two topics as the settings say, or changes what differs."""

import re
from typing import Final

import structlog
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import (
    AuthorizationError,
    InvalidReplicationFactorError,
    KafkaError,
    NoError,
    TopicAlreadyExistsError,
    UnknownError,
    for_code,
)

from wiki_common.kafka.errors import no_right
from wiki_producer.settings import Settings

RETENTION: Final = "retention.ms"
_HOUR_MS: Final = 3_600_000
_CODE: Final = re.compile(r"\[Error (-?\d+)\]")

log = structlog.get_logger(__name__)


class TopicRefused(Exception):
    """A topic can't be made as the settings say."""


class TopicNotYet(Exception):
    """The broker can't make or change a topic now; it may when it is asked again."""


def init_topics(admin: KafkaAdminClient, settings: Settings) -> None:
    """Make both topics as the settings say; what was done before stays done.

    TopicRefused if one has more partitions than that, or Kafka refuses; BrokerRefused without the right to;
    TopicNotYet if the broker fails at it.
    """
    for topic in (settings.kafka_topic, settings.rejected_topic):
        try:
            present = _partitions(admin, topic)
            # Rejected events are few, and one partition keeps their order; more do no harm.
            rejected = topic == settings.rejected_topic
            partitions = max(1, present) if rejected else settings.kafka_topic_partitions
            if present == 0:
                _create(admin, topic, partitions, settings.kafka_topic_replication_factor)
            else:
                _grow(admin, topic, present, partitions)
            _set_retention(admin, topic, settings.kafka_topic_retention_hours * _HOUR_MS)
        except AuthorizationError:
            raise no_right(topic, settings) from None
        except KafkaError as error:
            # Without a session with ZooKeeper a broker answers with UnknownError until it has another.
            passes = error.retriable or isinstance(error, UnknownError)
            raise (TopicNotYet if passes else TopicRefused)(f"topic {topic}: {error}") from None
        log.info("topic ready", topic=topic, partitions=partitions)


def _create(admin: KafkaAdminClient, topic: str, partitions: int, replicas: int) -> None:
    wanted = {"num_partitions": partitions, "replication_factor": replicas}
    # The error that kafka-python would raise shows the whole request and response.
    [answer] = admin.create_topics({topic: wanted}, raise_errors=False)["topics"]
    error = for_code(answer["error_code"])
    if error is NoError:
        admin.wait_for_topics([topic])
        log.info("topic created", topic=topic, partitions=partitions, replicas=replicas)
    elif error is TopicAlreadyExistsError:
        # Another topic_init made it in between.
        _grow(admin, topic, _partitions(admin, topic), partitions)
    elif error is InvalidReplicationFactorError:
        raise TopicRefused(f"KAFKA_TOPIC_REPLICATION_FACTOR={replicas}: {answer['error_message']}")
    else:
        raise error(answer["error_message"])


def _grow(admin: KafkaAdminClient, topic: str, present: int, partitions: int) -> None:
    if present > partitions:
        raise TopicRefused(
            f"KAFKA_TOPIC_PARTITIONS={partitions}: {topic} has {present} partitions, and Kafka removes none"
        )
    if present < partitions:
        admin.create_partitions({topic: partitions})
        admin.wait_for_topics([topic])
        log.info("partitions added", topic=topic, before=present, partitions=partitions)


def _partitions(admin: KafkaAdminClient, topic: str) -> int:
    described = admin.describe_topics([topic])
    return len(described[0]["partitions"]) if described else 0


def _set_retention(admin: KafkaAdminClient, topic: str, retention_ms: int) -> None:
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, {RETENTION: str(retention_ms)})
    # The answer for each topic is "OK" or the error's text. Without the last argument kafka-python asks first
    # what can be set, and raises a ValueError if a broker that has lost its ZooKeeper knows of nothing.
    answers = admin.alter_configs([resource], raise_on_unknown=False)
    [answer] = [topics[topic] for topics in answers.values()]
    if answer != "OK":
        code = _CODE.match(answer)
        raise for_code(int(code[1]) if code else UnknownError.errno)(f"{RETENTION} not set: {answer}")
