"""Runs a command that starts others, with a temporary folder of its own, until all of them have ended."""

import os
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from chaos_run.children import temporary_files_in
from harness.leftovers import kill_all, processes_of

_ENDS_WITHIN: Final = 60.0
"""Seconds that a command has to end what it started, once it was asked to."""
_GONE_WITHIN: Final = 5.0
"""Seconds that what it started has, once it has ended itself."""


class Failed(Exception):
    """It has no result, or left something running."""


def run_part(command: Sequence[str], folder: Path, *, patience: float) -> None:
    """Run `command`, `patience` seconds at most, and nothing of it is left then. Raises Failed."""
    temporary = folder / "tmp"
    temporary.mkdir()
    # In a session of its own: a Ctrl-C is for this process, which lets the other one end in peace.
    process = subprocess.Popen(
        command, env={**os.environ, **temporary_files_in(temporary)}, start_new_session=True
    )
    try:
        code = process.wait(patience)
    except subprocess.TimeoutExpired:
        raise Failed(f"not within {patience:.0f} s") from None
    finally:
        _end(process)
        left = _end_leftovers(temporary)
    if code:
        raise Failed(f"exit code {code}")
    if left:
        raise Failed(f"left running: {', '.join(left)}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_ENDS_WITHIN)
    process.kill()
    process.wait()


def _end_leftovers(temporary: Path) -> list[str]:
    """Kill what was started with this folder and still runs; the command lines' beginnings."""
    give_up = time.monotonic() + _GONE_WITHIN
    while processes_of(temporary) and time.monotonic() < give_up:
        time.sleep(0.2)
    return kill_all(temporary)
