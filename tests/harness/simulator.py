"""A stream simulator as a process, and what its ledger says was handed out."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.processes import Process, accepts, free_port, wait_until
from local_stack.broker import ROOT


class Simulator:
    """Serves events on one port, on and off; one ledger over all its runs. Nothing is served until `run`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: Process | None = None
        self._ledger = folder / "ledger.jsonl"
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v2/stream/recentchange"

    def run(self, *, start: float, rate: int, events: int, **flags: int) -> None:
        """Serve `events` in all, the first at `start` (seconds since the epoch). Ends an earlier run."""
        self.close()
        options = {"start": int(start * 1000), "rate": rate, "events": events, "port": self.port, **flags}
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        process = Process(
            (
                sys.executable,
                "-m",
                "stream_simulator",
                f"--ledger={self._ledger}",
                "--host=127.0.0.1",
                *arguments,
            ),
            log=self._folder / "simulator.log",
            env={"PYTHONPATH": str(ROOT / "services/stream-simulator")},
        )
        self._process = process

        def listens() -> bool:
            assert process.returncode is None, f"the simulator ended:\n{process.output()[-2000:]}"
            return accepts(self.port)

        wait_until(listens, timeout=60, what="the simulator listens")

    def run_idle(self) -> None:
        """Serve connections on which nothing happens."""
        self.run(start=time.time() + 86_400, rate=1, events=1)

    def handed_out(self) -> Iterator[dict[str, Any]]:
        """The ledger's entries, each event once."""
        seen = set()
        if not self._ledger.exists():
            return
        with self._ledger.open(encoding="utf-8") as lines:
            for line in lines:
                entry = json.loads(line)
                if entry["index"] not in seen:
                    seen.add(entry["index"])
                    yield entry

    def changes_by_title(self, domain: str = "en.wikipedia.org") -> Counter[str]:
        """How many readable changes of `domain` were handed out, by title."""
        kept = (each for each in self.handed_out() if each["kind"] in ("change", "huge"))
        return Counter(each["title"] for each in kept if each["domain"] == domain)

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
