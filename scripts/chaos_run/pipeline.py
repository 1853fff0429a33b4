"""run-local under a stream of our own, with its data where it is told to."""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from chaos_run import clocks
from chaos_run.children import Child, free_ports, temporary_files_in

TOPIC: Final = "wiki-changes"
PARTITIONS: Final = 3
_PORTS: Final = (
    "WEB_PORT",
    "KAFKA_PORT",
    "ZOOKEEPER_PORT",
    "PRODUCER_METRICS_PORT",
    "CONSUMER_METRICS_PORT",
)


class Pipeline:
    """Started at once."""

    def __init__(
        self,
        folder: Path,
        *,
        data: Path,
        stream_url: str,
        engine: str,
        clock_files: Path | None,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`settings` are other variables of the services."""
        ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
        self.web_port, self.consumer_port = ports["WEB_PORT"], ports["CONSUMER_METRICS_PORT"]
        self.bootstrap_servers = f"127.0.0.1:{ports['KAFKA_PORT']}"
        temporary = folder / "tmp"
        temporary.mkdir()
        env = {
            **temporary_files_in(temporary),
            "STATE_DIR": str(folder / "state"),
            "DATA_DIR": str(data),
            "WIKI_STREAM_URL": stream_url,
            "WEB_ENGINE": engine,
            "KAFKA_TOPIC": TOPIC,
            "KAFKA_TOPIC_PARTITIONS": str(PARTITIONS),
            # A stream that says nothing is left soon: there are more faults to come.
            "WIKI_STREAM_IDLE_TIMEOUT": "10s",
            **{name: str(port) for name, port in ports.items()},
            **({clocks.FOLDER: str(clock_files)} if clock_files else {}),
            **settings,
        }
        argv = [sys.executable, "-m", "chaos_run.run_local"]
        self._child = Child(argv, log=folder / "run-local.log", env=env)

    @property
    def pid(self) -> int:
        return self._child.pid

    def check_runs(self) -> None:
        self._child.check_runs("run-local")

    def close(self) -> None:
        self._child.close()
