"""The consumer's settings: environment variables, read once, checked, frozen."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from wiki_common.duration import Duration
from wiki_common.kafka.security import KafkaSettings, checked_servers
from wiki_common.kafka.topic import TopicName
from wiki_common.settings import Port
from wiki_common.spark import SparkSettings
from wiki_common.store.place import FolderPath
from wiki_common.store.settings import StoreSettings


def _server_list(value: str) -> str:
    """The list without spaces and empty parts, as Spark wants it."""
    return ",".join(checked_servers(tuple(part.strip() for part in value.split(",") if part.strip())))


BootstrapServers = Annotated[str, AfterValidator(_server_list)]


class Settings(SparkSettings, KafkaSettings, StoreSettings):
    """Each field is an environment variable of the same name in capitals."""

    kafka_bootstrap_servers: BootstrapServers = "kafka:9092"
    kafka_topic: TopicName = "wiki-changes"

    max_event_age: Duration = timedelta(minutes=30)
    trigger_interval: Duration = timedelta(milliseconds=400)
    max_offsets_per_trigger: int = Field(default=50_000, ge=1, le=1_000_000_000)
    history_retention: Duration = timedelta(days=7)
    spark_jars_dir: FolderPath = Path("/opt/spark-jars")

    metrics_port: Port = 9100
