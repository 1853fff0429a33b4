"""The process: settings, signals, a used port, a kill."""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.processes import Process, accepts, free_port, wait_until
from simulator.sse import read
from stream_simulator import health

SERVICE = Path(__file__).resolve().parents[2] / "services" / "stream-simulator"
Run = Callable[..., Process]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Starts the simulator with flags."""
    started: list[Process] = []

    def running(*flags: str) -> Process:
        argv = [sys.executable, "-m", "stream_simulator", *flags]
        log = tmp_path / f"{len(started)}.log"
        process = Process(argv, log=log, env={"BIND_ADDRESS": "127.0.0.1"}, cwd=SERVICE)
        started.append(process)
        return process

    yield running
    for process in started:
        process.kill()


def test_it_serves_is_healthy_survives_a_kill_and_ends_at_sigterm(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port, ledger = free_port(), tmp_path / "ledger"
    url = f"http://127.0.0.1:{port}/v2/stream/recentchange"
    start = int(time.time() * 1000) - 60_000
    flags = (f"--port={port}", "--rate=1000", f"--start={start}", "--ledger", str(ledger))
    first = run(*flags)
    wait_until(lambda: accepts(port), timeout=60, what="the simulator listens")
    received = asyncio.run(read(url, since=start, count=3000)).events
    assert len(received) == 3000
    first.kill()
    lines = [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()]
    assert {event.content["meta"]["id"] for event in received} <= {line["id"] for line in lines}

    second = run(*flags)
    wait_until(lambda: accepts(port), timeout=60, what="the simulator listens again")
    assert asyncio.run(read(url, since=start, count=3000)).events == received
    assert health.main([f"--port={port}", "--host=127.0.0.1"]) == 0
    assert capsys.readouterr().out == "ok: serving\n"
    taken = run(f"--port={port}")
    assert taken.wait(60) == 1
    assert f"SIMULATOR_PORT={port}" in taken.output()
    assert len(taken.output().splitlines()) == 1
    assert second.terminate() == 0
    assert "Traceback" not in second.output()
