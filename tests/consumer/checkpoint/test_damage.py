"""Damaged files of the checkpoint and in `changes`, made by a real query: a decision is asked for."""

import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from consumer import topics
from consumer.running import committed_ids, data_of, run_here
from consumer.topics import event
from harness.kafka import Broker
from wiki_consumer.checkpoint.reset import RESET
from wiki_consumer.checkpoint.reset import reset as begin_anew
from wiki_consumer.checkpoint.state import TOPIC_FILE
from wiki_consumer.query.supervisor import Broken
from wiki_consumer.settings import Settings
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.raw_files import list_raw_files

pytestmark = pytest.mark.slow

BATCHES = 3
EACH = 10
ALL = Counter(f"event-{number}" for number in range(BATCHES * EACH + 1))


def run(spark: SparkSession, settings: Settings, *, until: int) -> None:
    """The consumer, until so many rows are committed; raises Broken."""

    def committed() -> bool:
        with suppress(pa.ArrowInvalid):
            return sum(committed_ids(data_of(settings)).values()) >= until
        return False

    run_here(spark, settings, until=committed, what=f"{until} rows in {data_of(settings)}")


@pytest.fixture(scope="module")
def written(
    spark: SparkSession,
    broker: Broker,
    new_topic_name: Callable[[], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Settings:
    """A volume after some batches, and a record in the topic that it doesn't have."""
    settings = Settings(
        kafka_bootstrap_servers=broker.bootstrap_servers,
        kafka_topic=new_topic_name(),
        data_dir=tmp_path_factory.mktemp("written"),
    )
    topics.create(broker.bootstrap_servers, settings.kafka_topic)
    writer = topics.Writer(broker.bootstrap_servers, settings.kafka_topic)
    for batch in range(BATCHES):
        writer.write([event(number) for number in range(batch * EACH, (batch + 1) * EACH)])
        run(spark, settings, until=(batch + 1) * EACH)
    writer.write([event(BATCHES * EACH)])
    writer.close()
    return settings


@pytest.fixture
def settings(written: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(data_of(written), tmp_path / "data")
    return written.model_copy(update={"data_dir": tmp_path / "data"})


def last(folder: Path) -> Path:
    """The file of the last batch."""
    return max((path for path in folder.iterdir() if path.stem.isdecimal()), key=lambda path: int(path.stem))


def damage(path: Path, *, keep: float) -> None:
    """Leave this part of it, as a write that the machine's end cut off; its checksum never got there."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    path.with_name(f".{path.name}.crc").unlink(missing_ok=True)


@pytest.mark.parametrize("keep", [0, 0.6])
@pytest.mark.parametrize("folder", ["offsets", "state/0/0"])
def test_a_damaged_file_of_the_checkpoint_is_named_with_the_command(
    spark: SparkSession, settings: Settings, folder: str, keep: float
) -> None:
    before = committed_ids(data_of(settings))
    damage(last(ConsumerVolume(data_of(settings)).checkpoint / folder), keep=keep)
    with pytest.raises(Broken, match=RESET):
        run(spark, settings, until=BATCHES * EACH + 1)
    assert committed_ids(data_of(settings)) == before


def test_a_file_of_the_checkpoint_that_holds_something_else_is_named_with_the_command(
    spark: SparkSession, settings: Settings
) -> None:
    last(ConsumerVolume(data_of(settings)).checkpoint / "offsets").write_text("something else")
    with pytest.raises(Broken, match=RESET):
        run(spark, settings, until=BATCHES * EACH + 1)


@pytest.mark.parametrize("name", ["metadata", TOPIC_FILE])
def test_a_damaged_identity_is_named_with_the_command(
    spark: SparkSession, settings: Settings, name: str
) -> None:
    damage(ConsumerVolume(data_of(settings)).checkpoint / name, keep=0.6)
    with pytest.raises(Broken, match=RESET):
        run(spark, settings, until=BATCHES * EACH + 1)


def test_damaged_known_ids_are_named_with_the_command(spark: SparkSession, settings: Settings) -> None:
    ConsumerVolume(data_of(settings)).known_ids.write_bytes(b"")
    with pytest.raises(Broken, match=f"known-ids.*{RESET}"):
        run(spark, settings, until=BATCHES * EACH + 1)


def test_missing_state_is_named_with_the_command(spark: SparkSession, settings: Settings) -> None:
    last(ConsumerVolume(data_of(settings)).checkpoint / "state/0/0").unlink()
    with pytest.raises(Broken, match=RESET):
        run(spark, settings, until=BATCHES * EACH + 1)


def test_a_damaged_start_is_taken_anew(spark: SparkSession, settings: Settings) -> None:
    """Where to begin is written before the first batch is planned."""
    volume = ConsumerVolume(data_of(settings))
    damage(volume.checkpoint / "sources/0/0", keep=0.6)
    shutil.rmtree(volume.changes)
    for folder in ("offsets", "commits", "state"):
        shutil.rmtree(volume.checkpoint / folder)
    run(spark, settings, until=BATCHES * EACH + 1)
    assert committed_ids(data_of(settings)) == ALL


def reset(settings: Settings) -> None:
    begin_anew(ConsumerVolume(data_of(settings)), now=datetime.now(UTC))


def test_a_reset_makes_a_damaged_checkpoint_good(spark: SparkSession, settings: Settings) -> None:
    damage(last(ConsumerVolume(data_of(settings)).checkpoint / "offsets"), keep=0.6)
    reset(settings)
    run(spark, settings, until=BATCHES * EACH + 1)
    assert committed_ids(data_of(settings)) == ALL


@pytest.mark.parametrize("keep", [0, 0.6])
def test_a_reset_reads_the_rows_of_a_damaged_raw_file_again(
    spark: SparkSession, settings: Settings, keep: float
) -> None:
    volume = ConsumerVolume(data_of(settings))
    damaged = volume.changes / list_raw_files(volume.changes)[0].name
    damage(damaged, keep=keep)
    reset(settings)
    run(spark, settings, until=BATCHES * EACH + 1)
    assert committed_ids(data_of(settings)) == ALL
    assert not damaged.exists()
    assert (volume.checkpoints / "unreadable" / damaged.parent.name / damaged.name).exists()


def test_records_that_expired_before_they_were_read_ask_for_a_decision(
    spark: SparkSession, broker: Broker, topic: str, tmp_path: Path
) -> None:
    servers = broker.bootstrap_servers
    settings = Settings(kafka_bootstrap_servers=servers, kafka_topic=topic, data_dir=tmp_path)
    writer = topics.Writer(servers, topic)
    writer.write([event(number) for number in range(10)])
    run(spark, settings, until=10)
    writer.write([event(number) for number in range(10, 30)])
    writer.close()
    topics.delete_records(servers, topic, before=20)
    with pytest.raises(Broken, match=f"the topic no longer holds the records.*{RESET}"):
        run(spark, settings, until=30)
    reset(settings)
    run(spark, settings, until=20)
    left = [*range(10), *range(20, 30)]
    assert committed_ids(data_of(settings)) == Counter(f"event-{number}" for number in left)
