"""A volume on a small disk of its own, which can be full, read-only or slow for a while."""

import os
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

OWN_MOUNTS: Final = "CHAOS_OWN_MOUNTS"
"""Set where this process is alone in its mount namespace: what is mounted there goes with it."""
_SIZE: Final = "200M"
# A frozen disk takes no write; half of the time it is one.
_FROZEN_SECONDS: Final = 1.0


class NoDisk(Exception):
    """There can be no disk of our own here; the message says why."""


class Disk:
    """An ext4 file system in a file, mounted at `folder`."""

    def __init__(self, image: Path, folder: Path) -> None:
        """Raises NoDisk."""
        self._folder = folder
        self._ballast = folder / "ballast"
        if OWN_MOUNTS not in os.environ:
            raise NoDisk("not root, or no mount namespaces")
        folder.mkdir()
        try:
            _run("truncate", "--size", _SIZE, image)
            _run("mkfs.ext4", "-q", "-F", "-m", "0", image)
            _run("mount", "-o", "loop,noatime", image, folder)
        except FileNotFoundError as error:
            raise NoDisk(f"no {error.filename}") from None
        except subprocess.CalledProcessError as error:
            raise NoDisk(error.stderr.decode(errors="replace").strip()) from None

    def fill(self, wait: Callable[[], None]) -> None:
        """No room until `wait` returns."""
        try:
            with self._ballast.open("wb") as file:
                _take_all_room(file.fileno())
            wait()
        finally:
            self._ballast.unlink(missing_ok=True)

    def be_read_only(self, wait: Callable[[], None]) -> None:
        """Nothing can be opened for writing, made, renamed or removed until `wait` returns."""
        # A mount over it: the file system can't become read-only while files on it are open for writing.
        _run("mount", "--bind", self._folder, self._folder)
        try:
            _run("mount", "-o", "remount,bind,ro", self._folder)
            wait()
        finally:
            _run("umount", "--lazy", self._folder)

    def be_slow(self, has_ended: Callable[[], bool]) -> None:
        """Writes wait for up to a second each, until `has_ended`."""
        # The thaw comes whatever becomes of this process: nothing could end one that waits for the disk.
        command = f'fsfreeze --freeze "$0" && sleep {_FROZEN_SECONDS}; fsfreeze --unfreeze "$0"'
        while not has_ended():
            _run("setsid", "--wait", "sh", "-c", command, self._folder)
            time.sleep(_FROZEN_SECONDS)

    def close(self) -> None:
        _run("umount", "--lazy", self._folder)


def _take_all_room(file: int) -> None:
    size = 0
    for chunk in (2**20, 2**12):
        with suppress(OSError):
            while True:
                os.posix_fallocate(file, size, chunk)
                size += chunk


def _run(*argv: str | Path) -> None:
    subprocess.run(argv, check=True, capture_output=True)
