"""How large a record each topic takes. Asked beforehand: a record that is too large fails for good."""

from typing import Final

import structlog
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from wiki_producer.relay.decide import DEFAULT_BATCH_BYTES, Limits

MAX_MESSAGE_BYTES: Final = "max.message.bytes"

log = structlog.get_logger(__name__)


def read_limits(admin: KafkaAdminClient, topic: str, rejected_topic: str) -> Limits:
    """The limits of both topics; Kafka's default for one that we have no right to ask for."""
    return Limits.of_batches(_batch_bytes(admin, topic), _batch_bytes(admin, rejected_topic))


def _batch_bytes(admin: KafkaAdminClient, topic: str) -> int:
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, [MAX_MESSAGE_BYTES])
    try:
        [answer] = [
            topics[topic] for topics in admin.describe_configs([resource], config_filter="all").values()
        ]
        return int(answer[MAX_MESSAGE_BYTES]["value"])
    except (KafkaError, KeyError, TypeError) as error:
        log.warning("limit of the topic not known", topic=topic, taken=DEFAULT_BATCH_BYTES, reason=str(error))
        return DEFAULT_BATCH_BYTES
