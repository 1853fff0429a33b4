"""scripts/run-local on free ports with a folder of its own, and the processes that it started."""

import json
import os
import signal
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from harness import QUIET_TRIGGER
from harness.processes import Process, free_port, wait_until
from local_stack.broker import ROOT

_MARKER = "RUN_LOCAL_TEST"


class RunLocal:
    """One run; its processes are known by a variable that all of them inherit."""

    def __init__(
        self, folder: Path, *arguments: str, env: dict[str, str] | None = None, checkout: Path = ROOT
    ) -> None:
        self._marker = uuid.uuid4().hex
        self.web_port = free_port()
        self.ports = {
            name: free_port()
            for name in (
                "KAFKA_PORT",
                "ZOOKEEPER_PORT",
                "SIMULATOR_PORT",
                "PRODUCER_METRICS_PORT",
                "CONSUMER_METRICS_PORT",
                "KAFKA_METRICS_PORT",
                "PROMETHEUS_PORT",
            )
        }
        self.env = {
            "STATE_DIR": str(folder / "state"),
            "TRIGGER_INTERVAL": QUIET_TRIGGER,
            "WEB_PORT": str(self.web_port),
            _MARKER: self._marker,
            **{name: str(port) for name, port in self.ports.items()},
            **(env or {}),
        }
        self.process = Process(
            (str(checkout / "scripts/run-local"), *arguments), log=folder / "run-local.log", env=self.env
        )

    def get(self, path: str) -> Any:
        """The page's JSON answer, None while there is none."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}{path}", timeout=5) as answer:
                return json.load(answer)
        except (urllib.error.URLError, OSError):
            return None

    def wait_for_line(self, text: str, timeout: float = 240) -> None:
        """Await a line of the merged log that contains `text`; fails at once when run-local has ended."""

        def appears() -> bool:
            if text in self.process.output():
                return True
            self.assert_runs()
            return False

        wait_until(appears, timeout=timeout, what=f"run-local prints {text!r}")

    def assert_runs(self) -> None:
        code = self.process.returncode
        assert code is None, f"run-local ended with exit code {code}:\n{self.process.output()[-3000:]}"

    def processes(self) -> list[psutil.Process]:
        """Every process that this run started, directly or not, and itself."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                ours = process.environ().get(_MARKER) == self._marker
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def service(self, module: str) -> psutil.Process | None:
        """The process that supervisord started for `python -m module`, not its children; None without one."""
        for process in self.processes():
            with suppress(psutil.Error):
                parent = process.parent()
                if (
                    process.cmdline()[1:] == ["-m", module]
                    and parent
                    and parent.cmdline()[1:] != ["-m", module]
                ):
                    return process
        return None

    def kill_service(self, module: str) -> None:
        """SIGKILL a service's process, and wait until another one runs."""
        old = self.service(module)
        assert old is not None
        old.kill()

        def is_replaced() -> bool:
            new = self.service(module)
            return new is not None and new.pid != old.pid

        wait_until(is_replaced, timeout=60, what=f"{module} runs again")

    def broker(self) -> psutil.Process:
        """Kafka's JVM."""
        [found] = [each for each in self.processes() if "kafka.Kafka" in each.cmdline()]
        return found

    @contextmanager
    def suspended(self, module: str) -> Iterator[None]:
        """A service stands still, with its children, and goes on afterwards."""
        service = self.service(module)
        assert service is not None
        with _suspended([service, *service.children(recursive=True)]):
            yield

    @contextmanager
    def broker_suspended(self) -> Iterator[None]:
        """The broker stands still, and goes on afterwards."""
        with _suspended([self.broker()]):
            yield

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask run-local to end; its exit code."""
        os.kill(self.process.pid, number)
        return self.process.wait(60)

    def wait_until_nothing_is_left(self) -> None:
        wait_until(lambda: not self.processes(), timeout=30, what="no process of the run is left")

    def close(self) -> None:
        """Leave nothing behind, whatever the test did."""
        self.process.kill()
        with suppress(AssertionError):
            self.wait_until_nothing_is_left()
        for process in self.processes():
            with suppress(psutil.Error):
                process.kill()


@contextmanager
def _suspended(processes: list[psutil.Process]) -> Iterator[None]:
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()
