"""A power cut in a batch: what was not fsynced may be gone, empty or zeros, and the query goes on by itself.

A real query runs. Before some batches fsync what they need, the volume is copied as a cut would find it. What
of Spark's files has not been fsynced by then is noted: the plan of the batch, the commit of the one before.
"""

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from consumer import topics
from consumer.running import committed_ids, data_of, run_here
from consumer.topics import event
from harness.kafka import Broker
from wiki_consumer.checkpoint import durability, state
from wiki_consumer.checkpoint.durability import DurableCheckpoint
from wiki_consumer.settings import Settings
from wiki_consumer.volume.durable import sync_file
from wiki_consumer.volume.folders import ConsumerVolume

pytestmark = pytest.mark.slow

# So many that the state has snapshots.
BATCHES = 14
EACH = 5
# The first of each batch is the last of the one before: only the state tells that it is no new one.
NUMBERS = [batch * (EACH - 1) + each for batch in range(BATCHES) for each in range(EACH)]
# The last batch that is planned, when what a batch needs is about to be fsynced.
MOMENTS = {0: "in the first batch", 1: "in the second batch", BATCHES - 1: "late"}
TEARS: dict[str, Callable[[bytes], bytes | None]] = {
    "gone": lambda _: None,
    "empty": lambda _: b"",
    "zeros": lambda content: bytes(len(content)),
}


@dataclass
class Cut:
    """What a cut finds: a copy of the volume, and of its checkpoint the files that are not on the disk."""

    data: Path
    unsafe: list[Path]


@dataclass
class Machine:
    """Notes which files were fsynced, as they were then, and copies the volume when asked."""

    volume: ConsumerVolume
    copies: Path
    synced: dict[Path, tuple[int, int]] = field(default_factory=dict)
    cuts: dict[str, Cut] = field(default_factory=dict)

    def note(self, path: Path) -> None:
        self.synced[path] = _identity(path)

    def cut(self, moment: str) -> None:
        data = self.copies / moment
        shutil.copytree(self.volume.root, data, ignore=shutil.ignore_patterns("*.tmp", "*.tmp.crc"))
        folders = [self.volume.checkpoint / name for name in state.SPARKS]
        sparks = [
            self.volume.checkpoint / "metadata",
            *(path for each in folders for path in each.rglob("*")),
        ]
        files = (path for path in sparks if path.is_file())
        unsafe = [path for path in files if self.synced.get(path) != _identity(path)]
        self.cuts[moment] = Cut(data, [data / path.relative_to(self.volume.root) for path in unsafe])


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns


@pytest.fixture(scope="module")
def written(
    spark: SparkSession,
    broker: Broker,
    new_topic_name: Callable[[], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Settings, Machine]:
    """Batches that were written one after the other, and the cuts at the last of them."""
    folder = tmp_path_factory.mktemp("power-cut")
    settings = Settings(
        kafka_bootstrap_servers=broker.bootstrap_servers,
        kafka_topic=new_topic_name(),
        data_dir=folder / "data",
        max_offsets_per_trigger=EACH,
        trigger_interval=timedelta(milliseconds=1),
    )
    topics.create(broker.bootstrap_servers, settings.kafka_topic)
    writer = topics.Writer(broker.bootstrap_servers, settings.kafka_topic)
    writer.write([event(number) for number in NUMBERS])
    writer.close()
    machine = Machine(ConsumerVolume(data_of(settings)), folder)
    sync_all = DurableCheckpoint.sync

    def noted(path: Path) -> None:
        sync_file(path)
        machine.note(path)

    def noted_all(checkpoint: DurableCheckpoint) -> None:
        if (moment := MOMENTS.get(last_planned(machine.volume))) is not None:
            machine.cut(moment)
        sync_all(checkpoint)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(durability, "sync_file", noted)
        patch.setattr(DurableCheckpoint, "sync", noted_all)
        run(spark, settings)
    assert machine.cuts.keys() == set(MOMENTS.values())
    return settings, machine


def last_planned(volume: ConsumerVolume) -> int:
    return state.position(volume.checkpoint).planned


def run(spark: SparkSession, settings: Settings) -> None:
    expected = {f"event-{number}" for number in NUMBERS}
    run_here(
        spark,
        settings,
        until=lambda: committed_ids(data_of(settings)).keys() == expected,
        what=f"all rows in {data_of(settings)}",
    )


@pytest.mark.parametrize("tear", TEARS)
@pytest.mark.parametrize("moment", MOMENTS.values())
def test_it_goes_on_by_itself_and_counts_each_change_once(
    spark: SparkSession, written: tuple[Settings, Machine], tmp_path: Path, moment: str, tear: str
) -> None:
    check(spark, written, tmp_path, moment, tear, lambda _: True)


@pytest.mark.parametrize("name", ["offsets", "commits"])
def test_so_it_does_if_one_file_alone_is_torn(
    spark: SparkSession, written: tuple[Settings, Machine], tmp_path: Path, name: str
) -> None:
    check(spark, written, tmp_path, "late", "empty", lambda path: path.parent.name == name)


def check(
    spark: SparkSession,
    written: tuple[Settings, Machine],
    folder: Path,
    moment: str,
    tear: str,
    is_torn: Callable[[Path], bool],
) -> None:
    settings, machine = written
    cut = machine.cuts[moment]
    shutil.copytree(cut.data, folder / "data")
    torn = [folder / "data" / path.relative_to(cut.data) for path in cut.unsafe if is_torn(path)]
    assert torn
    for path in torn:
        content = TEARS[tear](path.read_bytes())
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
    after = settings.model_copy(update={"data_dir": folder / "data"})
    run(spark, after)
    assert committed_ids(data_of(after)) == Counter({f"event-{number}": 1 for number in NUMBERS})
