"""A real standalone cluster of Spark's on loopback: a master and workers, each of which can be killed."""

import json
import secrets
import sys
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.processes import Process, accepts, free_port, wait_until

# As for other JVMs of tests, here for those of executors: they live for some seconds.
SHORT_LIVED = {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1"}


class SparkCluster:
    """A master and workers that share a secret, with their files in `folder`. Started at once.

    Each worker offers `cores`: so many tasks at once, whatever the machine has. `java`: variables of JVMs.
    """

    def __init__(
        self, folder: Path, *, workers: int = 2, cores: int = 4, java: Mapping[str, str] = SHORT_LIVED
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._cores = cores
        self._java = java
        self.secret = secrets.token_hex(16)
        self._secret_file = folder / "spark-secret"
        self._secret_file.write_text(f"{self.secret}\n", encoding="utf-8")
        self._port, self._page = free_port(), free_port()
        self.start_master()
        self.workers = [self.start_worker(number) for number in range(workers)]
        self.wait_for_workers(workers)

    @property
    def settings(self) -> dict[str, str]:
        """Those of whoever belongs to it."""
        return {
            "SPARK_MASTER": f"spark://127.0.0.1:{self._port}",
            "SPARK_AUTHENTICATE_SECRET_FILE": str(self._secret_file),
            "SPARK_LOCAL_IP": "127.0.0.1",
        }

    def start_master(self) -> None:
        """Also again, after its end; returns once it listens."""
        env = {"SPARK_MASTER_WEBUI_PORT": str(self._page), "DATA_DIR": str(self._folder / "master")}
        self.master = self._run("master", "master", env)
        wait_until(lambda: accepts(self._port), timeout=60, what="the master listens")

    def start_worker(self, number: int, **settings: str) -> Process:
        """The caller puts it among the workers, if it is one of them."""
        env = {
            "SPARK_WORKER_CORES": str(self._cores),
            "SPARK_WORKER_MEMORY": "1g",
            "SPARK_WORKER_WEBUI_PORT": str(free_port()),
            "SPARK_WORKER_DIR": str(self._folder / f"worker-{number}"),
            **settings,
        }
        return self._run("worker", f"worker-{number}", env)

    def restart_worker(self, number: int) -> None:
        self.workers[number] = self.start_worker(number)

    def wait_for_workers(self, count: int) -> None:
        def there() -> bool:
            state = self.state()
            return state.get("status") == "ALIVE" and state["aliveworkers"] == count

        wait_until(there, timeout=120, what=f"{count} workers are alive\n{self._folder}")

    def wait_for_cores_used(self, count: int) -> None:
        wait_until(
            lambda: self.state().get("coresused") == count, timeout=120, what=f"{count} cores are in use"
        )

    def state(self) -> dict[str, Any]:
        """As the master's page tells it to programs; empty while it doesn't answer."""
        with suppress(OSError, ValueError):
            state: dict[str, Any] = json.loads(self.page("/json/"))
            return state
        return {}

    def page(self, path: str) -> str:
        """Of the master's, for people."""
        return fetched(f"http://127.0.0.1:{self._page}{path}")

    def pages_of_workers(self) -> list[str]:
        """Where they are."""
        return [worker["webuiaddress"] for worker in self.state()["workers"] if worker["state"] == "ALIVE"]

    def logs_of_executors(self) -> list[Path]:
        return [*self._folder.glob("worker-*/*/*/std*")]

    def close(self) -> None:
        for process in (*self.workers, self.master):
            process.kill()

    def _run(self, role: str, name: str, env: dict[str, str]) -> Process:
        return Process(
            (sys.executable, "-m", "wiki_consumer.cluster", role),
            log=self._folder / f"{name}.log",
            env={**self.settings, **self._java, **env},
        )


def fetched(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())
