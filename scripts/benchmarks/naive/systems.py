"""Two systems behind one look: what is delivered here, and the usual one, both reading the same stream."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from json import loads
from pathlib import Path
from typing import Any, Final, Protocol

from benchmarks.batches import JARS
from consumer import topics
from harness.kafka import Broker
from harness.processes import Process, free_port
from harness.run_local import RunLocal

_TOPIC: Final = "wiki-changes"
_PATIENCE: Final = 30.0  # seconds


class System(Protocol):
    """Starts when it is made. It counts edits and new pages of the English Wikipedia."""

    @property
    def name(self) -> str: ...

    def total(self) -> int | None:
        """Changes counted, of all titles; None without an answer."""
        ...

    def restart_producer(self) -> None:
        """Kill it; another one takes its place at once."""
        ...

    def files(self) -> int:
        """Parquet files that hold the changes."""
        ...

    def close(self) -> None: ...


class Delivered:
    """run-local, with one of its engines."""

    def __init__(self, folder: Path, stream: str, engine: str) -> None:
        self.name = f"this project, {engine}"
        self._data = folder / "state/data"
        environment = {"WIKI_STREAM_URL": stream, "WEB_ENGINE": engine, "DATA_DIR": ""}
        self._local = RunLocal(folder, env=environment)

    def total(self) -> int | None:
        answer = self._local.get("/api/v1/top")
        return int(answer["totals"]["changes"]) if answer else None

    def restart_producer(self) -> None:
        self._local.kill_service("wiki_producer")

    def files(self) -> int:
        return _parquet_files(self._data)

    def close(self) -> None:
        self._local.close()


class Naive:
    """The three programs of this package, with a broker of their own."""

    name = "the usual way"

    def __init__(self, folder: Path, stream: str) -> None:
        self._folder = folder
        self._port = free_port()
        self._broker = Broker(folder / "broker")
        servers = self._broker.bootstrap_servers
        topics.create(servers, _TOPIC)
        jars = ",".join(str(jar) for jar in sorted(JARS.glob("*.jar")))
        self._producer_arguments = ("producer", stream, servers, _TOPIC)
        self._producer = self._run(*self._producer_arguments)
        self._others: Sequence[Process] = (
            self._run("consumer", jars, servers, _TOPIC, str(folder)),
            self._run("page", str(folder), str(self._port)),
        )

    def total(self) -> int | None:
        answer = _get(self._port, "/top")
        return sum(row["count"] for row in answer) if answer else None

    def restart_producer(self) -> None:
        self._producer.kill()
        self._producer = self._run(*self._producer_arguments)

    def files(self) -> int:
        return _parquet_files(self._folder / "changes")

    def close(self) -> None:
        for process in (self._producer, *self._others):
            process.kill()
        self._broker.close()

    def _run(self, name: str, *arguments: str) -> Process:
        command = (sys.executable, "-m", f"benchmarks.naive.{name}", *arguments)
        return Process(command, log=self._folder / f"{name}.log")


def _parquet_files(folder: Path) -> int:
    return sum(1 for _ in folder.rglob("*.parquet"))


def _get(port: int, path: str) -> Any:
    """A JSON answer; None without one, or while it has nothing."""
    connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    with suppress(OSError, HTTPException):
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
            return loads(body) if answer.status == 200 else None
        finally:
            connection.close()
    return None
