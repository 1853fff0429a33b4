"""Makes the topics as the settings say, or changes what differs: `python -m wiki_producer.topic_init`."""

import sys

import structlog
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import (
    AuthorizationError,
    InvalidReplicationFactorError,
    KafkaError,
    NoError,
    TopicAlreadyExistsError,
    for_code,
)

from wiki_producer.kafka_client import BrokerUnreachable, connect_admin
from wiki_producer.kafka_refusal import BrokerRefused, no_right
from wiki_producer.logs import configure_logs
from wiki_producer.settings import Settings, WrongSettings, read_settings

RETENTION = "retention.ms"
_HOUR_MS = 3_600_000

log = structlog.get_logger(__name__)


class TopicRefused(Exception):
    """A topic can't be made what the settings ask for."""


def init_topics(admin: KafkaAdminClient, settings: Settings) -> None:
    """Bring both topics to their settings.

    TopicRefused when one has more partitions, or Kafka refuses; BrokerRefused without the right to.
    """
    present = {name: _partitions(admin, name) for name in (settings.kafka_topic, settings.rejected_topic)}
    # Rejected events are few, and one partition keeps their order; more do no harm.
    wanted = {
        settings.kafka_topic: settings.kafka_topic_partitions,
        settings.rejected_topic: max(1, present[settings.rejected_topic]),
    }
    for topic, partitions in wanted.items():
        try:
            if present[topic] == 0:
                _create(admin, topic, partitions, settings.kafka_topic_replication_factor)
            else:
                _grow(admin, topic, present[topic], partitions)
            _set_retention(admin, topic, settings.kafka_topic_retention_hours * _HOUR_MS)
        except AuthorizationError:
            raise no_right(topic, settings) from None
        except KafkaError as error:
            raise TopicRefused(f"topic {topic}: {error}") from None
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
        # Another topic_init was faster.
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
    # kafka-python raises nothing here: each topic's answer is "OK" or the error's text.
    [answer] = [topics[topic] for topics in admin.alter_configs([resource]).values()]
    if answer != "OK":
        raise TopicRefused(f"topic {topic}: {RETENTION} not set: {answer}")


def main() -> int:
    try:
        settings = read_settings()
    except WrongSettings as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    configure_logs(settings.log_level, settings.log_format)
    servers = ",".join(settings.kafka_bootstrap_servers)
    log.info(
        "waiting for the broker", servers=servers, seconds=settings.kafka_connect_timeout.total_seconds()
    )
    try:
        admin = connect_admin(settings, int(settings.kafka_connect_timeout.total_seconds() * 1000))
    except (BrokerRefused, BrokerUnreachable) as error:
        log.error("topics not made", reason=str(error))
        return 1
    try:
        init_topics(admin, settings)
    except (BrokerRefused, TopicRefused) as error:
        log.error("topics not made", reason=str(error))
        return 1
    finally:
        admin.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
