"""The watch of the changes folder: what ends a wait at once, whatever becomes of the folders."""

import errno
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from inotify_simple import INotify
from structlog.testing import capture_logs

from web.committed import NOON, Change, CommittedChanges
from wiki_web.data.folder_watch import FolderWatch

LONG = 30.0
SHORT = 0.05


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Not there yet."""
    return tmp_path / "data" / "changes"


@pytest.fixture
def watch(folder: Path) -> Iterator[FolderWatch]:
    with FolderWatch(folder) as watch:
        yield watch


def waited(watch: FolderWatch, seconds: float) -> float:
    """How long a wait for at most `seconds` took."""
    began = time.monotonic()
    watch.wait(seconds)
    return time.monotonic() - began


def ends_a_wait(watch: FolderWatch, action: Callable[[], object]) -> bool:
    """Whether `action`, after the watch was armed, ends a wait; till then nothing does."""
    watch.arm()
    watch.wait(0)
    assert waited(watch, SHORT) >= SHORT
    action()
    return waited(watch, LONG) < LONG


def test_a_batch_that_appears_ends_the_wait(folder: Path, watch: FolderWatch) -> None:
    committed = CommittedChanges(folder.parent)
    committed.commit(Change(NOON))
    assert ends_a_wait(watch, lambda: committed.commit(Change(NOON)))
    assert ends_a_wait(watch, lambda: committed.commit(Change(NOON + timedelta(days=1))))
    assert ends_a_wait(watch, lambda: committed.commit(Change(NOON + timedelta(days=1))))


def test_folders_that_appear_end_the_wait(folder: Path, watch: FolderWatch) -> None:
    """Until the volume is there, only the clock helps."""
    watch.arm()
    assert waited(watch, SHORT) >= SHORT
    folder.parent.mkdir()
    assert ends_a_wait(watch, folder.mkdir)
    assert ends_a_wait(watch, (folder / "date=2026-03-01").mkdir)
    assert ends_a_wait(watch, lambda: CommittedChanges(folder.parent).commit(Change(NOON)))


def test_folders_that_are_removed_and_made_again_are_watched(folder: Path, watch: FolderWatch) -> None:
    for _ in range(3):
        CommittedChanges(folder.parent).commit(Change(NOON))
        assert ends_a_wait(watch, lambda: CommittedChanges(folder.parent).commit(Change(NOON)))
        shutil.rmtree(folder)
        watch.arm()


def test_what_appeared_between_two_waits_ends_the_next(folder: Path, watch: FolderWatch) -> None:
    committed = CommittedChanges(folder.parent)
    watch.arm()
    committed.commit(Change(NOON))
    assert waited(watch, LONG) < LONG


def test_files_that_are_deleted_end_no_wait(folder: Path, watch: FolderWatch) -> None:
    committed = CommittedChanges(folder.parent)
    committed.commit(Change(NOON))
    watch.arm()
    committed.expire(committed.files())
    assert waited(watch, SHORT) >= SHORT


def test_who_waits_can_be_woken_also_before_it_waits(watch: FolderWatch) -> None:
    threading.Timer(SHORT, watch.wake).start()
    assert waited(watch, LONG) < LONG
    for _ in range(100_000):
        watch.wake()
    assert waited(watch, LONG) < LONG


def test_waking_after_the_end_is_nothing(folder: Path) -> None:
    with FolderWatch(folder) as watch:
        watch.arm()
    watch.wake()


def test_it_watches_again_once_the_system_has_a_watch_left(
    folder: Path, watch: FolderWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed = CommittedChanges(folder.parent)

    def none_left(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as exhausted, capture_logs() as logged:
        exhausted.setattr(INotify, "__init__", none_left)
        for _ in range(3):
            watch.arm()
        committed.commit(Change(NOON))
        assert waited(watch, SHORT) >= SHORT
    assert [line["reason"] for line in logged] == ["[Errno 24] Too many open files"]
    assert ends_a_wait(watch, lambda: committed.commit(Change(NOON)))
