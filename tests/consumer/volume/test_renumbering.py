import itertools
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from wiki_consumer.checkpoint import state
from wiki_consumer.volume import renumbering
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.sink_log import COMPACT_INTERVAL, LOG_DIRECTORY, read_sink_log

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
DAY = "date=2026-01-31"


class Crash(Exception):
    pass


def add_batch(output: Path, batch: int, *names: str) -> None:
    """A batch as Spark's file sink commits it."""
    lines = ["v1"]
    for name in names:
        file = output / DAY / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
        modified = round(NOW.timestamp() * 1000) + batch
        lines.append(
            f'{{"path":"{file.as_uri()}","size":1,"isDir":false,"modificationTime":{modified},'
            '"blockReplication":1,"blockSize":1,"action":"add"}'
        )
    log = output / LOG_DIRECTORY
    log.mkdir(parents=True, exist_ok=True)
    (log / str(batch)).write_text("\n".join(lines))


def begin_checkpoint(volume: ConsumerVolume, *, planned: int) -> None:
    offsets = volume.checkpoint / "offsets"
    offsets.mkdir(parents=True)
    for batch in range(planned + 1):
        (offsets / str(batch)).touch()


@pytest.fixture
def volume(tmp_path: Path) -> ConsumerVolume:
    """A log of three batches, and a new checkpoint that has staged two."""
    made = ConsumerVolume(tmp_path)
    for batch in range(3):
        add_batch(made.changes, batch, f"old-{batch}")
    begin_checkpoint(made, planned=1)
    add_batch(made.staging, 0, "new-0")
    add_batch(made.staging, 1)
    return made


def names(volume: ConsumerVolume) -> set[str]:
    return {name.removeprefix(f"{DAY}/") for name in read_sink_log(volume.changes).files}


EXPECTED = {"old-0", "old-1", "old-2", "new-0"}


def test_a_new_checkpoint_needs_it_only_with_an_older_log(tmp_path: Path) -> None:
    volume = ConsumerVolume(tmp_path)
    assert not renumbering.is_needed(volume)
    add_batch(volume.changes, 0, "a")
    assert renumbering.is_needed(volume)
    begin_checkpoint(volume, planned=0)
    assert not renumbering.is_needed(volume)


def test_one_log_names_all_files_under_the_new_numbers(volume: ConsumerVolume) -> None:
    assert renumbering.is_needed(volume)
    assert renumbering.is_staged(volume)
    renumbering.finish(volume, now=NOW)
    log = read_sink_log(volume.changes)
    assert log.batch_id == 1
    assert names(volume) == EXPECTED
    assert all((volume.changes / name).exists() for name in log.files)
    assert log.files[f"{DAY}/old-2"].modified_at == NOW + timedelta(milliseconds=2)
    assert not renumbering.is_needed(volume)
    state.check(state.position(volume.checkpoint), log.batch_id)
    assert len(list(volume.checkpoints.glob("sink-log.replaced-*"))) == 1


def test_only_the_log_that_was_replaced_last_is_kept(volume: ConsumerVolume) -> None:
    earlier = volume.checkpoints / "sink-log.replaced-20260101T000000Z"
    earlier.mkdir()
    renumbering.finish(volume, now=NOW)
    assert [path.name for path in volume.checkpoints.glob("sink-log.replaced-*")] == [
        f"sink-log.replaced-{NOW:%Y%m%dT%H%M%SZ}"
    ]


def test_a_log_with_many_staged_batches_has_the_files_that_spark_looks_for(volume: ConsumerVolume) -> None:
    last = COMPACT_INTERVAL
    for batch in range(2, last + 1):
        add_batch(volume.staging, batch, f"new-{batch}")
    renumbering.finish(volume, now=NOW)
    assert (volume.changes / LOG_DIRECTORY / f"{last - 1}.compact").exists()
    assert read_sink_log(volume.changes).batch_id == last
    assert names(volume) == EXPECTED | {f"new-{batch}" for batch in range(2, last + 1)}


@pytest.mark.parametrize("step", range(1, 6))
def test_a_crash_at_any_step_is_made_good_by_the_next_start(
    volume: ConsumerVolume, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    steps = itertools.count(1)
    real_rename, real_rmtree = Path.rename, shutil.rmtree

    def crashing_rename(path: Path, target: Path) -> Path:
        if next(steps) == step:
            raise Crash
        return real_rename(path, target)

    def crashing_rmtree(path: Path, *arguments: Any, **options: Any) -> None:
        if next(steps) == step:
            raise Crash
        real_rmtree(path, *arguments, **options)

    with monkeypatch.context() as crashing:
        crashing.setattr(Path, "rename", crashing_rename)
        crashing.setattr(shutil, "rmtree", crashing_rmtree)
        with pytest.raises(Crash):
            renumbering.finish(volume, now=NOW)
    assert renumbering.is_needed(volume)
    assert renumbering.is_staged(volume)
    renumbering.finish(volume, now=NOW)
    assert names(volume) == EXPECTED
    assert all((volume.changes / name).exists() for name in read_sink_log(volume.changes).files)
    assert not renumbering.is_needed(volume)
