"""The lock by which one run-local at a time has its folder; it ends with the process that has taken it."""

import fcntl
from pathlib import Path
from typing import TextIO

_NAME = "lock"


def take(folder: Path) -> TextIO:
    """Hold it until the file is closed. Raises BlockingIOError if another has it, and OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / _NAME).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise
    return lock


def is_held(folder: Path) -> bool:
    """Whether a run-local is at work there."""
    try:
        with (folder / _NAME).open() as lock:
            # A shared one: two who ask are no obstacle to each other.
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
