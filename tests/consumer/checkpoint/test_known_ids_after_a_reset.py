"""What a new checkpoint keeps of the old one, until it needs it no longer."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from consumer import topics
from consumer.running import committed_ids, run_here
from consumer.topics import event
from harness.kafka import Broker
from wiki_consumer.checkpoint import batch_clock
from wiki_consumer.checkpoint.reset import reset
from wiki_consumer.query import supervisor
from wiki_consumer.settings import Settings
from wiki_consumer.volume.folders import ConsumerVolume

EACH = 10


def test_known_ids_go_when_no_row_that_is_as_old_can_come_any_more(
    spark: SparkSession,
    broker: Broker,
    topic: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    servers, volume = broker.bootstrap_servers, ConsumerVolume(tmp_path)
    settings = Settings(kafka_bootstrap_servers=servers, kafka_topic=topic, data_dir=tmp_path)
    writer = topics.Writer(servers, topic)
    writer.write([event(number) for number in range(EACH)])
    run_here(spark, settings, until=lambda: len(committed_ids(tmp_path)) == EACH, what="rows")
    reset(volume, now=datetime.now(UTC))
    monkeypatch.setattr(supervisor, "REVIEW_SECONDS", 1.0)

    writer.write([event(EACH)])
    run_here(spark, settings, until=lambda: f"event-{EACH}" in committed_ids(tmp_path), what="the new row")
    assert volume.known_ids.exists()

    monkeypatch.setattr(batch_clock, "CLOCK_MARGIN", -timedelta(days=1))  # as if a day had passed
    run_here(spark, settings, until=lambda: not volume.known_ids.exists(), what="the ids are gone")

    writer.write([event(EACH + 1)])
    writer.close()
    run_here(
        spark, settings, until=lambda: f"event-{EACH + 1}" in committed_ids(tmp_path), what="the last row"
    )
    assert committed_ids(tmp_path) == Counter(f"event-{number}" for number in range(EACH + 2))
