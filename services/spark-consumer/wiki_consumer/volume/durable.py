"""Files and names that a power cut leaves as they are."""

import os
from contextlib import suppress
from pathlib import Path


def make_folder(folder: Path) -> None:
    """With its parents."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_file(file: Path) -> None:
    """Bring what others wrote to it to the disk. One that has been deleted meanwhile is passed over."""
    with suppress(FileNotFoundError):
        _sync(file)


def sync_folder(folder: Path) -> None:
    """Bring the names in it to the disk."""
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
