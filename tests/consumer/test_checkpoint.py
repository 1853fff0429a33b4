import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wiki_consumer import checkpoint
from wiki_consumer.checkpoint import CheckpointMismatch, Position
from wiki_consumer.volume import Volume

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_the_position_is_the_last_of_each_log(tmp_path: Path) -> None:
    assert checkpoint.position(tmp_path) == Position(-1, -1)
    for name in ("offsets/9", "offsets/10", "offsets/.10.crc", "commits/9"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert checkpoint.position(tmp_path) == Position(planned=10, committed=9)


def test_the_last_commit_is_the_newest_of_its_log(tmp_path: Path) -> None:
    assert checkpoint.last_commit(tmp_path) is None
    for batch, time in (("9", NOW), ("10", NOW - timedelta(hours=1))):
        file = tmp_path / "commits" / batch
        file.parent.mkdir(exist_ok=True)
        file.touch()
        os.utime(file, (time.timestamp(),) * 2)
    assert checkpoint.last_commit(tmp_path) == NOW


@pytest.mark.parametrize("last_in_log", [9, 10])
def test_a_log_that_ends_with_the_checkpoint_fits(last_in_log: int) -> None:
    checkpoint.check(Position(planned=10, committed=9), last_in_log)


@pytest.mark.parametrize(
    ("last_in_log", "reason"), [(11, "would be skipped"), (8, "are missing"), (-1, "are missing")]
)
def test_another_log_is_refused(last_in_log: int, reason: str) -> None:
    with pytest.raises(CheckpointMismatch, match=reason):
        checkpoint.check(Position(planned=10, committed=9), last_in_log)


def test_a_topic_made_again_under_the_same_name_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    checkpoint.check_topic(folder, "wiki-changes", "id-1")
    checkpoint.check_topic(folder, "wiki-changes", "id-1")
    with pytest.raises(CheckpointMismatch, match="deleted and made again"):
        checkpoint.check_topic(folder, "wiki-changes", "id-2")


def test_a_topic_file_that_is_damaged_is_refused(tmp_path: Path) -> None:
    checkpoint.check_topic(tmp_path, "wiki-changes", "id-1")
    (tmp_path / checkpoint.TOPIC_FILE).write_bytes(b"\xff")
    with pytest.raises(CheckpointMismatch, match="\N{REPLACEMENT CHARACTER}"):
        checkpoint.check_topic(tmp_path, "wiki-changes", "id-1")


def test_a_reset_moves_the_checkpoint_aside(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    checkpoint.check_topic(volume.checkpoint, "wiki-changes", "id-1")
    aside = checkpoint.reset(volume, now=NOW)
    assert not volume.checkpoint.exists()
    assert (aside / checkpoint.TOPIC_FILE).read_text() == "wiki-changes (id id-1)"


def test_only_the_checkpoint_of_the_last_reset_is_kept(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    for hours in range(3):
        checkpoint.check_topic(volume.checkpoint, "wiki-changes", f"id-{hours}")
        aside = checkpoint.reset(volume, now=NOW + timedelta(hours=hours))
    assert list(volume.checkpoints.glob("changes.reset-*")) == [aside]
    assert (aside / checkpoint.TOPIC_FILE).read_text() == "wiki-changes (id id-2)"


def ask_for_the_lock(lock: Path) -> str:
    """What another process is told."""
    asking = (
        "import sys; from pathlib import Path; from wiki_consumer.checkpoint import exclusive\n"
        "with exclusive(Path(sys.argv[1])) as alone: print(alone)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", asking, str(lock)], capture_output=True, text=True, timeout=60, check=True
    )
    return answer.stdout.strip()


def test_the_lock_is_held_by_one_process_until_it_lets_go(tmp_path: Path) -> None:
    lock = tmp_path / "checkpoints/.lock"
    with checkpoint.exclusive(lock) as alone:
        assert alone
        assert ask_for_the_lock(lock) == "False"
    assert ask_for_the_lock(lock) == "True"
