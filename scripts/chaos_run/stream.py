"""The stream simulator with all its faults on, and its ledger."""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from chaos_run.children import Child, free_ports, wait_until
from local_stack import ports

DOMAIN: Final = "en.wikipedia.org"
_MOST_EVENTS: Final = 30_000
"""Of these the page lists each title, in parts of at most 500."""
_LIVE_RATE: Final = 33
# Seconds of the stream between two faults of a kind: each is longer than what a client reads twice.
_SECONDS_BETWEEN: Final = {"cut": 29, "close": 41, "reset": 53, "malformed": 5, "huge": 90}
_STALL_AFTER: Final = 47  # seconds, once


@dataclass(frozen=True)
class Event:
    """A change that the pipeline keeps."""

    id: str
    title: str
    type: str
    namespace: int
    bot: bool


def serving(
    folder: Path, options: Mapping[str, str | int | Path], env: Mapping[str, str]
) -> tuple[Child, int]:
    """A simulator with these options that listens, and its port. Raises Failure."""
    (port,) = free_ports(1)
    arguments = [
        f"--{name}={value}" for name, value in {"host": "127.0.0.1", "port": port, **options}.items()
    ]
    argv = [sys.executable, "-m", "stream_simulator", *arguments]
    child = Child(argv, log=folder / "simulator.log", env=env)
    try:
        wait_until(lambda: ports.accepts("127.0.0.1", port), timeout=60, what="the simulator listens")
    except BaseException:
        child.close()
        raise
    return child, port


def address(port: int, begins: float) -> str:
    """Of a stream that hands out all events from `begins` on to who asks for no position."""
    return f"http://127.0.0.1:{port}/v2/stream/recentchange?since={int(begins * 1000)}"


class Stream:
    """Serves events for `seconds` from now on, then only keeps its connections open."""

    def __init__(self, folder: Path, seconds: float, seed: int) -> None:
        rate = max(1, min(_LIVE_RATE, int(_MOST_EVENTS / seconds)))
        self.rate, self.events = rate, int(rate * seconds)
        self.begins = time.time() + 1
        self.ends = self.begins + self.events / rate
        self._ledger = folder / "ledger.jsonl"
        options: dict[str, str | int | Path] = {
            **{f"{name}-every": rate * seconds for name, seconds in _SECONDS_BETWEEN.items()},
            "stall-after": rate * _STALL_AFTER,
            "refuse-every": 5,
            "retry-after": 1,
            "start": int(self.begins * 1000),
            "rate": rate,
            "events": self.events,
            "seed": seed,
            "ledger": self._ledger,
        }
        self._child, port = serving(folder, options, {})
        self.url = address(port, self.begins)

    def check_runs(self) -> None:
        self._child.check_runs("the simulator")

    def not_handed_out(self) -> int:
        """How many events nobody has asked for."""
        return self.events - len({entry["index"] for entry in self._entries()})

    def kept(self) -> list[Event]:
        """What the ledger says that the pipeline has to count, each event once."""
        found: dict[str, Event] = {}
        for entry in self._entries():
            if entry["domain"] == DOMAIN and entry["kind"] in ("change", "huge"):
                found[entry["id"]] = Event(**{name: entry[name] for name in Event.__dataclass_fields__})
        return list(found.values())

    def _entries(self) -> Iterator[dict[str, Any]]:
        with self._ledger.open(encoding="utf-8") as lines:
            # The last line may be half written.
            yield from (json.loads(line) for line in lines if line.endswith("\n"))

    def close(self) -> None:
        self._child.close()
