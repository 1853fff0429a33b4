"""Processes that a run starts: with an environment of their own, and ended with it."""

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

# Neither a .env nor the settings of the user's shell are part of the run.
_OF_THE_MACHINE: Final = ("PATH", "PYTHONPATH", "HOME", "TMPDIR", "JAVA_HOME", "LANG", "LC_ALL")
_STOPPED_WITHIN: Final = 60.0


class Failure(Exception):
    """Something doesn't hold, with what was seen."""


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nothing uses now, below the range of outgoing connections' ports."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(10_000, 32_768)
        with closing(socket.socket()) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in found:
                found.append(port)
    return found


def wait_until(condition: Callable[[], bool], *, timeout: float, what: str, every: float = 0.5) -> None:
    """Raises Failure after `timeout` seconds."""
    give_up = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > give_up:
            raise Failure(f"not within {timeout:g} s: {what}")
        time.sleep(every)


def temporary_files_in(folder: Path) -> dict[str, str]:
    """Variables by which all temporary files go to `folder`: what is killed leaves its own."""
    return {
        "TMPDIR": str(folder),
        "SPARK_LOCAL_DIRS": str(folder),
        "JDK_JAVA_OPTIONS": f"-Djava.io.tmpdir={folder}",
    }


class Child:
    """Runs in a session of its own, so that a Ctrl-C is not for it; what it writes is in `log`."""

    def __init__(self, argv: Sequence[str], *, log: Path, env: Mapping[str, str]) -> None:
        inherited = {name: os.environ[name] for name in _OF_THE_MACHINE if name in os.environ}
        self.log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**inherited, **env},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def check_runs(self, name: str) -> None:
        """Raises Failure with its last words."""
        if (code := self._process.poll()) is not None:
            raise Failure(f"{name} ended by itself with exit code {code}:\n{self.last_words()}")

    def last_words(self) -> str:
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-25:])

    def close(self) -> None:
        """Ask it to end, and kill its group if it doesn't."""
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOPPED_WITHIN)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
