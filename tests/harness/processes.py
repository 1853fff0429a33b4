"""Start a process in its own group, await a condition, end exactly what was started."""

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

import psutil

_given: set[int] = set()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing uses now, and that was not given before.

    It lies below the range of outgoing connections' ports: one of those could be taken before it is used.
    Each worker of pytest-xdist has a part of that range to itself.
    """
    while True:
        port = random.choice(_ports())
        with closing(socket.socket()) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _given:
                _given.add(port)
                return port


def _ports() -> range:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return range(10_000 + worker, 32_768, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def accepts(port: int) -> bool:
    """Whether something on 127.0.0.1:`port` takes a connection."""
    with closing(socket.socket()) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], bool], *, timeout: float, what: str, every: float = 0.1) -> None:
    """Return once `condition` holds; AssertionError naming `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        time.sleep(every)


def jvms(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that are a JVM. One that ends meanwhile is none: Spark's start script runs others first."""
    found = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process.name() == "java":
                found.append(process)
    return found


def have_ended(processes: Iterable[psutil.Process]) -> bool:
    """A zombie has ended too: what would reap it is no part of the service."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                return False
    return True


class Process:
    """A child in its own process group, its output in `log`."""

    def __init__(
        self, argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log
        with log.open("ab") as out:
            self._child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def returncode(self) -> int | None:
        return self._child.poll()

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait(self, timeout: float) -> int:
        """The exit code; AssertionError with the log's end if it still runs after `timeout` seconds."""
        try:
            return self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout:g} s:\n{self.output()[-2000:]}") from None

    def terminate(self, timeout: float = 15) -> int:
        """SIGTERM to the process itself, then its exit code."""
        if self.returncode is None:
            self._child.terminate()
        return self.wait(timeout)

    def kill(self) -> None:
        """SIGKILL to the whole group: a Python driver and its JVM die together, as in a container."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._child.wait(10)
