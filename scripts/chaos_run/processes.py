"""The processes of a run-local by what they are, also those whose parent is gone."""

from contextlib import suppress
from typing import Final

import psutil

from local_stack import session

_GUARD: Final = "local_stack.guard"
_PYTHON: Final = {"wiki_producer": "producer", "wiki_consumer": "consumer"}
_WEB: Final = "wiki_web"
_JAVA: Final = {
    "kafka.Kafka": "kafka",
    "org.apache.zookeeper.server.quorum.QuorumPeerMain": "zookeeper",
    "spark.app.name=wiki-consumer": "consumer-jvm",
    "spark.app.name=wiki-web": "web-jvm",
}


def role(command: list[str], parents_command: list[str]) -> str | None:
    """Which process it is by its command line and its parent's; None for another one."""
    module = _module(command)
    if module == _WEB:
        return "web-worker" if _module(parents_command) == _WEB else "web-master"
    if module in _PYTHON:
        return _PYTHON[module]
    return next((name for sign, name in _JAVA.items() if sign in command), None)


def _module(command: list[str]) -> str:
    return command[-1] if command[-2:-1] == ["-m"] else ""


class Processes:
    """Those of the run-local whose process is `run_local`."""

    def __init__(self, run_local: int) -> None:
        self._run_local = run_local
        self._session: int | None = None

    def find(self, wanted: str) -> psutil.Process | None:
        """The youngest process that is `wanted`, None if there is none now."""
        found = []
        for pid in self._members():
            with suppress(psutil.Error):
                process = psutil.Process(pid)
                parent = process.parent()
                if role(process.cmdline(), parent.cmdline() if parent else []) == wanted:
                    found.append((process.create_time(), process))
        return max(found, key=lambda pair: pair[0])[1] if found else None

    def _members(self) -> list[int]:
        if self._session is None:
            # The guard leads the session that all services are in.
            for child in psutil.Process(self._run_local).children(recursive=True):
                with suppress(psutil.Error):
                    if _GUARD in child.cmdline():
                        self._session = child.pid
        return [] if self._session is None else session.members(self._session)
