"""The one place that turns KAFKA_* settings into kafka-python's options, and makes its clients."""

import functools
from collections.abc import Callable
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError
from kafka.partitioner import Partitioner
from kafka.partitioner.default import murmur2

from wiki_producer.kafka.login import login_options
from wiki_producer.kafka.probe import require_access
from wiki_producer.settings import Settings

# kafka-python checks the size before it adds a record: a batch may grow by one record beyond this, and the
# broker's default limit is 1 MiB.
BATCH_BYTES: Final = 262_144
LINGER_MS: Final = 20
LARGEST_REQUEST: Final = 8 * 1024 * 1024
# By default kafka-python gives a record up after 120 s; a broker may be away for much longer.
DELIVERY_TIMEOUT_MS: Final = 2**31 - 1
# With the default a client may notice only after 30 s that the broker is back.
RECONNECT_BACKOFF_MAX_MS: Final = 2_000


class BrokerUnreachable(Exception):
    """No broker answered in time, or it refused us; the text names the servers and the reason."""


class KeyPartitioner(Partitioner):  # type: ignore[misc]
    """Chooses the partition that Java's clients choose for a key; without a key the first one."""

    def partition(
        self,
        topic: str,
        key: bytes | None,
        serialized_key: bytes | None,
        value: bytes,
        serialized_value: bytes,
        cluster: Any,
    ) -> int:
        partitions = len(cluster.partitions_for_topic(topic))
        return 0 if serialized_key is None or partitions == 1 else partition_for(serialized_key, partitions)


@functools.lru_cache(maxsize=65_536)
def partition_for(key: bytes, partitions: int) -> int:
    """The partition of `key`; remembered, as murmur2 in pure Python takes several µs and titles recur."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


def connection_options(settings: Settings) -> dict[str, Any]:
    """What every client of the broker needs: where it is and how to prove who we are."""
    return {
        "bootstrap_servers": list(settings.kafka_bootstrap_servers),
        "client_id": "wiki-producer",
        "reconnect_backoff_max_ms": RECONNECT_BACKOFF_MAX_MS,
        **login_options(settings),
    }


def connect_producer(settings: Settings, timeout_ms: int) -> KafkaProducer:
    """An idempotent producer that retries for weeks. BrokerUnreachable after the timeout."""
    return _connect(
        KafkaProducer,
        settings,
        timeout_ms,
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        linger_ms=LINGER_MS,
        batch_size=BATCH_BYTES,
        max_request_size=LARGEST_REQUEST,
        delivery_timeout_ms=DELIVERY_TIMEOUT_MS,
        # `send` blocks only while it doesn't know a topic; the start asks for both topics beforehand.
        max_block_ms=5_000,
        allow_auto_create_topics=False,
        partitioner=KeyPartitioner(),
        metrics_enabled=False,
    )


def connect_consumer(settings: Settings, timeout_ms: int) -> KafkaConsumer:
    """A consumer without a group. BrokerUnreachable after the timeout."""
    return _connect(
        KafkaConsumer,
        settings,
        timeout_ms,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        allow_auto_create_topics=False,
        metrics_enabled=False,
    )


def connect_admin(settings: Settings, timeout_ms: int) -> KafkaAdminClient:
    """BrokerUnreachable after the timeout."""
    return _connect(KafkaAdminClient, settings, timeout_ms)


def _connect(client: Callable[..., Any], settings: Settings, timeout_ms: int, **options: Any) -> Any:
    servers = ",".join(settings.kafka_bootstrap_servers)
    require_access(settings)
    try:
        return client(**connection_options(settings), bootstrap_timeout_ms=timeout_ms, **options)
    except KafkaTimeoutError:
        raise BrokerUnreachable(f"no Kafka broker answers at KAFKA_BOOTSTRAP_SERVERS={servers}") from None
    except (KafkaError, OSError) as error:
        raise BrokerUnreachable(f"Kafka at KAFKA_BOOTSTRAP_SERVERS={servers} refuses: {error}") from None
