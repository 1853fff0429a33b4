"""What a command has left running."""

from contextlib import suppress
from pathlib import Path

import psutil

_GONE_WITHIN = 10.0  # seconds: on a busy machine what was killed takes a moment


def processes_of(folder: Path) -> list[psutil.Process]:
    """All whose temporary files are in `folder` or below it, as those of a command with that TMPDIR."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            ours = process.environ().get("TMPDIR", "").startswith(str(folder))
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def kill_all(folder: Path) -> list[str]:
    """Kill those and wait until they are gone; they are named by the beginnings of their command lines."""
    killed, found = [], processes_of(folder)
    for process in found:
        with suppress(psutil.Error):
            killed.append(" ".join(process.cmdline())[:80])
            process.kill()
    psutil.wait_procs(found, timeout=_GONE_WITHIN)
    return killed
