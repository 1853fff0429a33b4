"""A look at the topic before the query is started: a missing topic or broker is told in one line."""

from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from wiki_consumer.kafka import options
from wiki_consumer.kafka.java_errors import Cause, chain, refusal
from wiki_consumer.settings import Settings

CLOSE_SECONDS = 1


class TopicUnavailable(Exception):
    """The topic can't be read now; the message says why in one line."""


def topic_id(spark: SparkSession, settings: Settings) -> str:
    """The id of KAFKA_TOPIC, which another topic of that name would not have.

    Raises BrokerRefused, or TopicUnavailable after default.api.timeout.ms at the latest.
    """
    jvm: Any = spark._jvm
    properties = jvm.java.util.Properties()
    for name, value in options.client_properties(settings).items():
        properties.setProperty(name, value)
    topic = settings.kafka_topic
    try:
        admin = jvm.org.apache.kafka.clients.admin.AdminClient.create(properties)
    except Py4JJavaError as error:
        raise _reason(chain(error.java_exception), settings) from None
    try:
        return str(admin.describeTopics([topic]).allTopicNames().get()[topic].topicId().toString())
    except Py4JJavaError as error:
        raise _reason(chain(error.java_exception), settings) from None
    finally:
        admin.close(jvm.java.time.Duration.ofSeconds(CLOSE_SECONDS))


def _reason(causes: list[Cause], settings: Settings) -> Exception:
    if (refused := refusal(causes, settings)) is not None:
        return refused
    servers = settings.kafka_bootstrap_servers
    name, message = causes[-1]
    kind = name.rpartition(".")[2]
    if kind == "UnknownTopicOrPartitionException":
        return TopicUnavailable(f"KAFKA_TOPIC={settings.kafka_topic}: no such topic on {servers}")
    return TopicUnavailable(f"KAFKA_BOOTSTRAP_SERVERS={servers}: no answer ({kind}: {message})")
