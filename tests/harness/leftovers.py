"""What a command has left running."""

from contextlib import suppress
from pathlib import Path

import psutil


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
    """Kill those, and name them by the beginnings of their command lines."""
    killed = []
    for process in processes_of(folder):
        with suppress(psutil.Error):
            killed.append(" ".join(process.cmdline())[:80])
            process.kill()
    return killed
