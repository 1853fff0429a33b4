"""The batches in the folder: all at first, then only what is new, and never silently past a gap."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from harness.processes import wait_until
from web.committed import NOON, Change, CommittedChanges, changes_table
from wiki_common.volume import file_names
from wiki_web.data import follower as follower_module
from wiki_web.data.follower import Commit, FolderMoved, Follower

MIDNIGHT = datetime(2026, 3, 2, tzinfo=NOON.tzinfo)


def commits(committed: CommittedChanges, count: int) -> None:
    for number in range(count):
        committed.commit(Change(NOON + timedelta(seconds=number)))


def read_on(follower: Follower) -> Commit:
    """The next commit, accepted."""
    commit = follower.poll()
    assert commit is not None
    follower.accept(commit)
    return commit


def names(committed: CommittedChanges) -> list[str]:
    return [str(path.relative_to(committed.changes_dir)) for path in committed.files()]


def test_an_empty_folder_is_nothing_new(committed: CommittedChanges) -> None:
    assert Follower(committed.changes_dir).poll() is None
    assert Follower(committed.data_dir / "never").poll() is None
    assert Follower(committed.data_dir / "never").commits_after(None) == 0


@pytest.mark.parametrize("count", [1, 9, 25])
def test_the_first_poll_gives_every_file_once(committed: CommittedChanges, count: int) -> None:
    commits(committed, count)
    commit = Follower(committed.changes_dir).poll()
    assert commit is not None
    assert commit.batch.number == count - 1
    assert list(commit.files) == names(committed)


def test_later_polls_give_only_what_is_new_in_order(committed: CommittedChanges) -> None:
    follower = Follower(committed.changes_dir)
    seen: list[str] = []
    for step in (1, 3, 6, 1, 12, 22, 5):
        commits(committed, step)
        commit = read_on(follower)
        assert len(commit.files) == step
        seen += commit.files
        assert follower.poll() is None
    assert seen == names(committed)


def test_what_is_not_accepted_is_given_again_with_what_came_after(committed: CommittedChanges) -> None:
    follower = Follower(committed.changes_dir)
    commits(committed, 2)
    read_on(follower)
    commits(committed, 1)
    missed = follower.poll()
    assert missed is not None
    assert follower.poll() == missed
    commits(committed, 8)
    commit = read_on(follower)
    assert commit.files[:1] == missed.files
    assert len(commit.files) == 9
    assert follower.poll() is None


def test_a_batch_of_two_dates_is_seen_whole_or_not_at_all(committed: CommittedChanges) -> None:
    follower = Follower(committed.changes_dir)
    commits(committed, 1)
    read_on(follower)
    rows = changes_table([Change(MIDNIGHT - timedelta(seconds=1)), Change(MIDNIGHT)])
    (part, of_part), (last, of_last) = committed.next_batch(rows)
    assert (part.date, last.date) == ("date=2026-03-01", "date=2026-03-02")
    committed.write(part, of_part)
    assert follower.poll() is None
    assert follower.commits_after(None) == 1
    committed.write(last, of_last)
    commit = follower.poll()
    assert commit is not None
    assert commit.files == (part.name, last.name)


def test_other_files_are_no_batches(committed: CommittedChanges) -> None:
    commits(committed, 1)
    folder = committed.files()[0].parent
    for name in (".20260301T000000Z-0000000001.parquet.tmp", "part-00000-1.parquet", "copy.parquet"):
        (folder / name).write_bytes(b"")
    (committed.changes_dir / "notes").mkdir()
    commit = Follower(committed.changes_dir).poll()
    assert commit is not None
    assert len(commit.files) == 1


def test_files_of_closed_hours_may_be_gone(committed: CommittedChanges) -> None:
    follower = Follower(committed.changes_dir)
    commits(committed, 8)
    read_on(follower)
    committed.expire(committed.files()[:5])
    assert follower.poll() is None
    commits(committed, 2)
    assert len(read_on(follower).files) == 2
    fresh = Follower(committed.changes_dir).poll()
    assert fresh is not None
    assert list(fresh.files) == names(committed)


def test_a_gap_is_told(committed: CommittedChanges) -> None:
    follower = Follower(committed.changes_dir)
    commits(committed, 3)
    read_on(follower)
    commits(committed, 2)
    committed.expire(committed.files()[3:4])
    with pytest.raises(FolderMoved, match=r"-0000000004 does not follow .*-0000000002"):
        follower.poll()


def test_a_new_checkpoint_goes_on_where_the_old_one_ended(committed: CommittedChanges) -> None:
    follower = Follower(committed.changes_dir)
    commits(committed, 3)
    read_on(follower)
    commits(committed, 1)
    committed.begin_anew()
    commits(committed, 2)
    files = (*read_on(follower).files, *read_on(follower).files)
    assert list(files) == names(committed)[3:]
    commits(committed, 1)
    assert len(read_on(follower).files) == 1


def test_the_next_batch_is_found_by_its_name_without_a_list_of_all_files(
    committed: CommittedChanges, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in the folder of another date, with its parts, and after a clock was set back."""
    follower = Follower(committed.changes_dir, list_every=3600)
    commits(committed, 3)
    read_on(follower)
    monkeypatch.setattr(follower_module, "file_names", None)
    assert follower.poll() is None
    commits(committed, 2)
    committed.commit(Change(MIDNIGHT - timedelta(seconds=1)), Change(MIDNIGHT))
    commits(committed, 1)
    commit = read_on(follower)
    assert sorted(commit.files) == names(committed)[3:]
    assert [file.count("-part") for file in commit.files] == [0, 0, 1, 0, 0]
    assert commit.files[-1].startswith("date=2026-03-01/")
    assert follower.poll() is None


def test_what_its_name_does_not_tell_is_found_once_all_files_are_looked_at(
    committed: CommittedChanges,
) -> None:
    often, seldom = (Follower(committed.changes_dir, list_every) for list_every in (0.2, 3600))
    commits(committed, 3)
    for follower in (often, seldom):
        read_on(follower)
    committed.begin_anew()
    commits(committed, 1)
    wait_until(lambda: often.poll() is not None, timeout=30, what="the new checkpoint is found")
    assert seldom.poll() is None


def test_a_new_checkpoint_whose_start_is_gone_is_told(committed: CommittedChanges) -> None:
    follower = Follower(committed.changes_dir)
    commits(committed, 3)
    read_on(follower)
    committed.begin_anew()
    commits(committed, 2)
    committed.expire(committed.files()[3:4])
    with pytest.raises(FolderMoved, match="does not follow"):
        follower.poll()


def test_a_folder_that_was_emptied_or_put_back_is_told(committed: CommittedChanges) -> None:
    follower = Follower(committed.changes_dir)
    commits(committed, 3)
    read_on(follower)
    committed.expire(committed.files()[2:])
    with pytest.raises(FolderMoved, match=r"the newest batch is .*-0000000001"):
        follower.poll()
    committed.expire(committed.files())
    with pytest.raises(FolderMoved, match="empty"):
        follower.poll()


def test_batches_that_appear_while_it_looks_are_never_passed_over(
    committed: CommittedChanges, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder isn't listed at one moment: a later name may be seen, and an earlier one not."""
    follower = Follower(committed.changes_dir)
    commits(committed, 2)
    read_on(follower)
    looks = 0

    def late(folder: Path) -> list[str]:
        nonlocal looks
        looks += 1
        seen = file_names(folder)
        if looks == 1:
            commits(committed, 2)
            seen.append(committed.files()[-1].name)
        return seen

    monkeypatch.setattr(follower_module, "file_names", late)
    assert len(read_on(follower).files) == 2
