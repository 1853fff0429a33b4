"""A volume that Spark's file sink wrote, taken over, and killed at each step of that."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from consumer import any_reader
from consumer.volumes import FIRST_BATCHES, NOW, Volume, ids_of, stream
from wiki_common.volume import FORMER_EPOCH, BatchId
from wiki_consumer.checkpoint.reset import reset
from wiki_consumer.checkpoint.state import position
from wiki_consumer.volume.former_layout import FormerLogError, is_former, take_over
from wiki_consumer.volume.publishing import Publisher
from wiki_consumer.volume.raw_files import list_raw_files

EPOCH = "20260201T000000Z"
Write = Callable[..., Any]


@pytest.fixture(scope="module")
def _by_spark(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Volume:
    """Batches 0 to 5 by Spark's own sink, its log compacted once."""
    path = tmp_path_factory.mktemp("former") / "volume"
    session = spark.newSession()  # with settings of its own
    session.conf.set("spark.sql.streaming.fileSink.log.compactInterval", 4)
    session.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    query = (
        stream(session, path, range(FIRST_BATCHES))
        .writeStream.format("parquet")
        .partitionBy("date")
        .option("path", str(path / "changes"))
        .option("checkpointLocation", str(path / "checkpoints/changes"))
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
    assert (path / "changes/_spark_metadata/3.compact").exists()
    return Volume(path, ids_of(FIRST_BATCHES))


@pytest.fixture
def former(_by_spark: Volume, tmp_path: Path) -> Volume:
    """With what killed batches left: whole files with rows that the log's files have, and half a file."""
    copied = _by_spark.copy_to(tmp_path / "volume")
    for path in list(copied.changes.glob("date=*/part-*"))[:2]:
        shutil.copy(path, path.with_name("part-00000-left.zstd.parquet"))
        path.with_name("part-00000-half.zstd.parquet").write_bytes(path.read_bytes()[:300])
    return copied


def take(volume: Volume) -> None:
    take_over(volume.folders, epoch=EPOCH, publish=Publisher(volume.folders))


def numbers(volume: Volume, epoch: str) -> list[int]:
    return [raw.batch.number for raw in list_raw_files(volume.changes) if raw.batch.epoch == epoch]


def test_its_committed_rows_count_once_for_any_reader(former: Volume, spark: SparkSession) -> None:
    assert is_former(former.folders)
    take(former)
    assert not is_former(former.folders)
    assert former.what_a_reader_sees() == former.ids
    assert any_reader.with_duckdb(former.changes) == former.ids
    assert any_reader.with_pyarrow(former.changes) == former.ids
    assert any_reader.with_spark(spark, former.changes) == former.ids
    assert {path.suffix for path in former.changes.rglob("*") if path.is_file()} == {".parquet"}


def test_its_files_come_before_the_batches_that_follow_without_a_gap(former: Volume) -> None:
    take(former)
    taken = numbers(former, FORMER_EPOCH)
    assert taken == list(range(len(taken)))
    last = position(former.checkpoint).committed
    assert numbers(former, EPOCH) == [last]
    assert list_raw_files(former.changes)[-1].batch == BatchId(EPOCH, last)


def test_a_checkpoint_that_has_no_batch_yet_begins_with_its_first(former: Volume) -> None:
    take_over(former.folders, epoch=None, publish=Publisher(former.folders))
    assert numbers(former, EPOCH) == []
    assert former.what_a_reader_sees() == former.ids


def test_the_volume_may_be_mounted_elsewhere_and_its_files_may_be_gone(former: Volume) -> None:
    """Their hours were closed, and the log names them still."""
    gone = next(iter(former.changes.glob("date=2026-01-31/part-*")))
    gone.unlink()
    take(former)
    assert set(former.what_a_reader_sees().values()) == {1}


class Killed(BaseException):
    """Stands for a SIGKILL: no handler of errors sees it."""


@pytest.mark.parametrize("staged", [False, True])
def test_a_kill_at_any_moment_loses_and_doubles_nothing(
    former: Volume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, staged: bool
) -> None:
    if staged:
        stage_last_files(former)
    steps = count_steps(former.copy_to(tmp_path / "whole"), monkeypatch)
    assert steps > 15
    for killed_after in range(1, steps + 1):
        copy = former.copy_to(tmp_path / f"{killed_after}")
        with monkeypatch.context() as patch:
            kill_after(killed_after, patch)
            with pytest.raises(Killed):
                take(copy)
        seen = copy.what_a_reader_sees()
        assert set(seen.values()) <= {1}
        take(copy)
        assert copy.what_a_reader_sees() == former.ids, killed_after
        assert any_reader.with_duckdb(copy.changes) == former.ids, killed_after
        taken = numbers(copy, FORMER_EPOCH)
        assert taken == list(range(len(taken)))
        assert numbers(copy, EPOCH) == [1 if staged else FIRST_BATCHES - 1], killed_after
        assert not is_former(copy.folders)
        shutil.rmtree(copy.path)


def stage_last_files(volume: Volume) -> None:
    """As if a new checkpoint had written the last file to `staging`, in its second batch."""
    log = volume.changes / "_spark_metadata"
    last = max(int(path.name) for path in log.iterdir() if path.name.isdecimal())
    staging = volume.path / "staging"
    (staging / "_spark_metadata").mkdir(parents=True)
    (staging / "_spark_metadata/0").write_text("v1")
    for line in (log / str(last)).read_text().split("\n")[1:]:
        name = "/".join(json.loads(line)["path"].split("/")[-2:])
        (staging / name).parent.mkdir(exist_ok=True)
        (volume.changes / name).rename(staging / name)
    (log / str(last)).rename(staging / "_spark_metadata/1")


def on_each_step(step: Callable[[], None], patch: pytest.MonkeyPatch) -> None:
    """Each change of a name is one."""

    def told(change: Write) -> Write:
        def change_and_tell(*arguments: Any, **named: Any) -> Any:
            result = change(*arguments, **named)
            step()
            return result

        return change_and_tell

    for name in ("replace", "unlink", "mkdir"):
        patch.setattr(Path, name, told(getattr(Path, name)))
    patch.setattr(shutil, "rmtree", told(shutil.rmtree))


def kill_after(steps: int, patch: pytest.MonkeyPatch) -> None:
    left = steps

    def step() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed

    on_each_step(step, patch)


def count_steps(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many a whole run has."""
    steps: list[None] = []
    with monkeypatch.context() as patch:
        on_each_step(lambda: steps.append(None), patch)
        take(volume)
    return len(steps)


def test_a_log_that_cannot_be_read_is_named_and_a_reset_does_without_it(former: Volume) -> None:
    log = former.changes / "_spark_metadata/5"
    log.write_bytes(log.read_bytes()[:50])
    with pytest.raises(FormerLogError, match="_spark_metadata/5"):
        take(former)
    aside = reset(former.folders, now=NOW)
    assert aside.exists()
    assert former.what_a_reader_sees() == former.ids
    assert not is_former(former.folders)


def test_a_volume_of_this_layout_is_left_alone(volume: Volume) -> None:
    assert not is_former(volume.folders)
