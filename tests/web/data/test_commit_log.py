"""The sink's log: read once, then only what is new, and never silently past a gap."""

from datetime import timedelta
from pathlib import PurePosixPath

import pytest

from web.committed import NOON, Change, CommittedChanges
from wiki_web.data.commit_log import Commit, CommitLog, CommitLogError, CommitLogMoved


def commits(committed: CommittedChanges, count: int) -> None:
    for number in range(count):
        committed.commit(Change(NOON + timedelta(seconds=number)))


def read_on(log: CommitLog) -> Commit:
    """The next commit, accepted."""
    commit = log.poll()
    assert commit is not None
    log.accept(commit)
    return commit


def names(committed: CommittedChanges) -> set[str]:
    return {str(path.relative_to(committed.changes_dir)) for path in committed.files()}


def test_no_log_is_nothing_new(committed: CommittedChanges) -> None:
    assert CommitLog(committed.changes_dir).poll() is None
    assert CommitLog(committed.data_dir / "never").latest_batch() == -1


@pytest.mark.parametrize("count", [1, 9, 10, 11, 25])
def test_the_first_poll_gives_every_committed_file_once(committed: CommittedChanges, count: int) -> None:
    commits(committed, count)
    commit = CommitLog(committed.changes_dir).poll()
    assert commit is not None
    assert commit.batch == count - 1
    assert len(commit.files) == count
    assert {str(file) for file in commit.files} == names(committed)


def test_later_polls_give_only_what_is_new(committed: CommittedChanges) -> None:
    log = CommitLog(committed.changes_dir)
    seen: list[PurePosixPath] = []
    for step in (1, 3, 6, 1, 12, 22, 5):
        commits(committed, step)
        commit = read_on(log)
        assert len(commit.files) == step
        seen += commit.files
        assert log.poll() is None
    assert len(seen) == len(set(seen))
    assert {str(file) for file in seen} == names(committed)


def test_what_is_not_accepted_is_given_again_with_what_came_after(committed: CommittedChanges) -> None:
    log = CommitLog(committed.changes_dir)
    commits(committed, 2)
    read_on(log)
    commits(committed, 1)
    missed = log.poll()
    assert missed is not None
    assert log.poll() == missed
    commits(committed, 8)
    commit = read_on(log)
    assert commit.files[:1] == missed.files
    assert len(commit.files) == 9
    assert log.poll() is None


def test_a_batch_without_files_is_a_commit(committed: CommittedChanges) -> None:
    log = CommitLog(committed.changes_dir)
    committed.commit()
    commit = log.poll()
    assert commit is not None
    assert commit.files == ()


def test_temporary_and_checksum_files_are_not_the_log(committed: CommittedChanges) -> None:
    commits(committed, 2)
    (committed.log_dir / ".2.5f9bf0ee.tmp").write_text("v1\nhalf", encoding="utf-8")
    (committed.log_dir / ".1.crc").write_bytes(b"crc")
    commit = CommitLog(committed.changes_dir).poll()
    assert commit is not None
    assert commit.batch == 1


def test_files_that_retention_dropped_are_not_listed(committed: CommittedChanges) -> None:
    commits(committed, 8)
    committed.expire(committed.files()[:5])
    commits(committed, 2)
    committed.remove_log_before(9)
    commit = CommitLog(committed.changes_dir).poll()
    assert commit is not None
    assert {str(file) for file in commit.files} == names(committed)


def test_a_log_cut_behind_our_position_goes_on(committed: CommittedChanges) -> None:
    log = CommitLog(committed.changes_dir)
    commits(committed, 12)
    read_on(log)
    committed.remove_log_before(9)
    commits(committed, 1)
    commit = log.poll()
    assert commit is not None
    assert len(commit.files) == 1


def test_a_log_cut_past_our_position_has_moved(committed: CommittedChanges) -> None:
    log = CommitLog(committed.changes_dir)
    commits(committed, 3)
    read_on(log)
    commits(committed, 9)
    committed.remove_log_before(9)
    with pytest.raises(CommitLogMoved, match="batch 3 was removed before it was read"):
        log.poll()


def test_a_log_that_begins_anew_has_moved(committed: CommittedChanges) -> None:
    log = CommitLog(committed.changes_dir)
    commits(committed, 3)
    read_on(log)
    for path in committed.log_dir.iterdir():
        path.unlink()
    with pytest.raises(CommitLogMoved, match="newest batch is -1, 2 was read"):
        log.poll()


def test_a_new_log_that_is_as_long_as_the_old_has_moved(committed: CommittedChanges) -> None:
    log = CommitLog(committed.changes_dir)
    commits(committed, 3)
    read_on(log)
    again = committed.log_dir / ".2.tmp"
    again.write_text("v1", encoding="utf-8")
    again.rename(committed.log_dir / "2")
    with pytest.raises(CommitLogMoved, match="batch 2 was written anew"):
        log.poll()


@pytest.mark.parametrize(
    "text", ["v2\n", "", 'v1\n{"path":', 'v1\n{"size":1}', 'v1\n{"path":"file:///etc/passwd"}', "v1\n[]"]
)
def test_an_unreadable_log_is_named(committed: CommittedChanges, text: str) -> None:
    (committed.log_dir / "0").write_text(text, encoding="utf-8")
    with pytest.raises(CommitLogError):
        CommitLog(committed.changes_dir).poll()


def test_a_log_of_garbled_bytes_is_named(committed: CommittedChanges) -> None:
    (committed.log_dir / "0").write_bytes(b"v1\n\xff\xfe")
    with pytest.raises(CommitLogError, match="utf-8"):
        CommitLog(committed.changes_dir).poll()


def test_a_path_that_leaves_the_folder_is_refused(committed: CommittedChanges) -> None:
    line = '{"path":"file:///data/changes/date=2026-01-01/../../secret.parquet"}'
    (committed.log_dir / "0").write_text(f"v1\n{line}", encoding="utf-8")
    with pytest.raises(CommitLogError, match="secret"):
        CommitLog(committed.changes_dir).poll()
