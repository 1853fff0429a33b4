"""KAFKA_* settings as options of Java's Kafka clients, for Spark's source and our own look at the topic."""

from typing import Final

from wiki_consumer.kafka.login import login_properties
from wiki_consumer.settings import Settings

# A quarter of the largest batch by default: two and four cores have equal shares of it.
RECORDS_PER_TASK: Final = 12_500


def client_properties(settings: Settings) -> dict[str, str]:
    """Properties of a Java Kafka client: where the brokers are and how to sign in."""
    return {
        "bootstrap.servers": settings.kafka_bootstrap_servers,
        # An unreachable broker is reported within these, instead of the default minute.
        "request.timeout.ms": "10000",
        "default.api.timeout.ms": "15000",
        **login_properties(settings),
    }


def source_options(settings: Settings) -> dict[str, str]:
    """Options of Spark's Kafka source. Lost offsets stop the query: a person has to accept what is gone."""
    return {f"kafka.{name}": value for name, value in client_properties(settings).items()} | {
        # After each look at records, Spark asks for the topic's first and last offset, on the connection on
        # which the client has just asked for what comes next. The broker answers in this order, and holds
        # that answer until a record comes, or half a second by default: a batch would wait for later records.
        "kafka.fetch.max.wait.ms": "1",
        "subscribe": settings.kafka_topic,
        "startingOffsets": "earliest",
        "failOnDataLoss": "true",
        # A heartbeat's says where a coverage begins.
        "includeHeaders": "true",
        "maxOffsetsPerTrigger": str(settings.max_offsets_per_trigger),
        # A backlog is parsed by all cores though the topic has one partition; a live batch stays one task.
        "maxRecordsPerPartition": str(RECORDS_PER_TASK),
        # A broker that is gone ends the query after one more attempt; the consumer starts it again.
        "fetchOffset.numRetries": "1",
    }
