import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wiki_consumer.checkpoint import state
from wiki_consumer.checkpoint.state import CheckpointMismatch, Position

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_the_position_is_the_last_of_each_log(tmp_path: Path) -> None:
    assert state.position(tmp_path) == Position(-1, -1)
    for name in ("offsets/9", "offsets/10", "offsets/.10.crc", "commits/9"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert state.position(tmp_path) == Position(planned=10, committed=9)


def test_the_last_commit_is_the_newest_of_its_log(tmp_path: Path) -> None:
    assert state.last_commit(tmp_path) is None
    for batch, time in (("9", NOW), ("10", NOW - timedelta(hours=1))):
        file = tmp_path / "commits" / batch
        file.parent.mkdir(exist_ok=True)
        file.touch()
        os.utime(file, (time.timestamp(),) * 2)
    assert state.last_commit(tmp_path) == NOW


@pytest.mark.parametrize("last_written", [9, 10])
def test_files_that_end_with_the_checkpoint_fit(last_written: int) -> None:
    state.check(Position(planned=10, committed=9), last_written)


@pytest.mark.parametrize(
    ("last_written", "reason"), [(11, "would be skipped"), (8, "are missing"), (-1, "are missing")]
)
def test_files_of_another_checkpoint_are_refused(last_written: int, reason: str) -> None:
    with pytest.raises(CheckpointMismatch, match=reason):
        state.check(Position(planned=10, committed=9), last_written)


def test_a_topic_made_again_under_the_same_name_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    state.check_topic(folder, "wiki-changes", "id-1")
    state.check_topic(folder, "wiki-changes", "id-1")
    with pytest.raises(CheckpointMismatch, match="deleted and made again"):
        state.check_topic(folder, "wiki-changes", "id-2")


def test_a_topic_file_that_is_damaged_is_refused(tmp_path: Path) -> None:
    state.check_topic(tmp_path, "wiki-changes", "id-1")
    (tmp_path / state.TOPIC_FILE).write_bytes(b"\xff")
    with pytest.raises(CheckpointMismatch, match="\N{REPLACEMENT CHARACTER}"):
        state.check_topic(tmp_path, "wiki-changes", "id-1")
