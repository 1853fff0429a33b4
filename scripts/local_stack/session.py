"""A POSIX session as a container: all processes started in it, and theirs, can be found and ended."""

import os
import signal
import time
from contextlib import suppress

import psutil


def members(session: int) -> list[int]:
    """The ids of the session's processes, without those that only wait to be reaped."""
    found = []
    for process in psutil.process_iter():
        # Another user's process, or one that has just ended, is none of ours.
        with suppress(OSError, psutil.Error):
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def end(session: int, *, spare: int | None = None, timeout: float = 10) -> list[int]:
    """SIGKILL the session's processes until none is left; returns those still there after `timeout` seconds.

    `spare` is not killed: the caller, when it is a member itself.
    """
    deadline = time.monotonic() + timeout
    while True:
        left = [pid for pid in members(session) if pid != spare]
        if not left or time.monotonic() > deadline:
            return left
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
