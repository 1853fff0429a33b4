"""The web service as a process over a folder that a test grows, on DuckDB as that starts in a second."""

import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from harness.processes import Process, free_port, wait_until


class RunningWeb:
    """Started at once; `stop` and `start` keep the address. `data_dir`, else in `folder`, need not exist yet.

    A page that isn't told of answers polls every `refresh_seconds`.
    """

    def __init__(
        self,
        folder: Path,
        refresh_seconds: int = 1,
        *,
        data_dir: Path | None = None,
        engine: str = "duckdb",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.data_dir = data_dir or folder / "data"
        self._settings = {"WEB_ENGINE": engine, **(settings or {})}
        self._log = folder / "web.log"
        self._port = free_port()
        self._refresh_seconds = refresh_seconds
        self._engine = engine
        self._process: Process | None = None
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Returns once it answers."""
        process = Process(
            (sys.executable, "-m", "wiki_web"),
            log=self._log,
            env={
                "DATA_DIR": str(self.data_dir),
                "WEB_PORT": str(self._port),
                "WEB_REFRESH_SECONDS": str(self._refresh_seconds),
                "BIND_ADDRESS": "127.0.0.1",
                **self._settings,
            },
        )
        self._process = process

        def answers() -> bool:
            assert process.returncode is None, f"web ended:\n{process.output()[-2000:]}"
            return self.get("/healthz") is not None

        wait_until(answers, timeout=120, what="the web service answers")

    def get(self, path: str) -> bytes | None:
        """The body of a 200 answer, None for any other."""
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as answer:
                body: bytes = answer.read()
                return body
        except (urllib.error.URLError, OSError):
            return None

    def wait_until_ready(self) -> None:
        wait_until(lambda: self.get("/readyz") is not None, timeout=120, what="the page shows fresh data")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def terminate(self) -> int:
        """As a supervisor does; the exit code."""
        assert self._process is not None
        return self._process.terminate()

    def stop(self) -> None:
        """As a crash does: at once, with its workers."""
        if self._process is not None:
            self._process.kill()
