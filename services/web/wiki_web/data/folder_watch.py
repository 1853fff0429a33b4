"""Wakes who waits for the next batch as soon as its file appears, where the system tells (Linux' inotify)."""

import os
import select
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import structlog
from inotify_simple import INotify, flags

from wiki_common.store.place import Place
from wiki_common.volume import date_folders

_log = structlog.get_logger(__name__)

# Files and folders appear by a rename or are made. Each folder is watched anew at each `arm`, so that one
# that was removed and made again is watched too.
_APPEARED: Final = flags.MOVED_TO | flags.CREATE | flags.ONLYDIR
_READ_AT_ONCE: Final = 65536  # bytes: what is left ends the next wait


class FolderWatch:
    """One thread arms, then looks, then waits: what appears after it was armed ends the wait at once.

    Volumes of other machines and object stores tell nothing, and a system may have no watch left: so a wait
    always has an end, after which the next look has to come. Any thread may `wake` who waits.
    """

    def __init__(self, changes: Place) -> None:
        self._changes = changes
        self._inotify: INotify | None = None
        self._told = False
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Give the descriptors back; `wake` does nothing any more."""
        for each in (self._inotify, self._woken, self._waker):
            if each is not None:
                each.close()

    def arm(self) -> None:
        """Watch the folders that are there now; where that fails, it is told once."""
        if not isinstance(self._changes, Path):
            return
        try:
            if self._inotify is None:
                self._inotify = _open_inotify()
            for folder in _folders(self._changes):
                with suppress(FileNotFoundError, NotADirectoryError):
                    self._inotify.add_watch(folder, _APPEARED)
        except OSError as error:
            if not self._told:
                _log.warning("changes can't be watched: looking at them by the clock", reason=str(error))
            self._told = True

    def wait(self, seconds: float) -> None:
        """Until something has appeared since the last wait, `wake` was called, or the time is over."""
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        if self._inotify is not None:
            poll.register(self._inotify, select.POLLIN)
        for descriptor, _ in poll.poll(seconds * 1000):
            os.read(descriptor, _READ_AT_ONCE)

    def wake(self) -> None:
        """End the wait that goes on, or the next one."""
        with suppress(OSError):  # full: who waits will wake anyway; or closed
            self._waker.send(b".")


def _folders(changes: Path) -> Iterator[Path]:
    """Each one tells when the next one below it appears."""
    yield changes.parent
    yield changes
    for name in date_folders(changes):
        yield changes / name


def _open_inotify() -> INotify:
    if sys.platform != "linux":
        raise OSError(f"{sys.platform} has no inotify")
    return INotify()
