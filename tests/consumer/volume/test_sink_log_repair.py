"""A log that is made anew of the raw files: each committed row once, whatever a crash left beside them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from consumer.volumes import Volume, add_leftovers_of_a_crash
from wiki_consumer.volume import renumbering, sink_log_repair
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.sink_log import LOG_DIRECTORY, SinkLogError, read_sink_log


class Crash(Exception):
    pass


@pytest.fixture
def damaged(volume: Volume) -> Volume:
    """Its newest log file is rubbish, and a killed batch has left files."""
    add_leftovers_of_a_crash(volume)
    (volume.changes / LOG_DIRECTORY / "5.compact").write_text("rubbish")
    with pytest.raises(SinkLogError):
        read_sink_log(volume.changes)
    return volume


def test_names_each_row_once(damaged: Volume) -> None:
    paths = ConsumerVolume(damaged.path)
    sink_log_repair.rebuild(paths)
    sink_log_repair.rebuild(paths)
    renumbering.finish(paths, now=datetime.now(UTC))
    assert damaged.what_a_reader_sees() == damaged.ids


def test_takes_files_that_are_staged(damaged: Volume) -> None:
    paths = ConsumerVolume(damaged.path)
    raw = damaged.raw_files()[-1]
    staged = paths.staging / raw.relative_to(damaged.changes)
    staged.parent.mkdir(parents=True)
    raw.rename(staged)
    sink_log_repair.rebuild(paths)
    renumbering.finish(paths, now=datetime.now(UTC))
    assert damaged.what_a_reader_sees() == damaged.ids


def test_what_a_crash_interrupted_is_done_again(damaged: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: Path) -> None:
        raise Crash

    paths = ConsumerVolume(damaged.path)
    with monkeypatch.context() as crashing:
        crashing.setattr(Path, "rename", crash)
        with pytest.raises(Crash):
            sink_log_repair.rebuild(paths)
    assert not paths.renumbered_log.exists()
    sink_log_repair.rebuild(paths)
    renumbering.finish(paths, now=datetime.now(UTC))
    assert damaged.what_a_reader_sees() == damaged.ids
