"""What a refresh and a viewer cost with each engine, beside a query over the whole folder at every request.

On a shared machine only the ratios within one run mean anything: CPU time is shown beside wall time.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

import duckdb
import psutil
import pyarrow as pa

from benchmarks.command import end_as_by_ctrl_c, hand_over, parser_of
from benchmarks.durations import durations
from benchmarks.figures import Figure, together
from benchmarks.live_volume import HOUR, an_hour, live_volume
from benchmarks.refreshes import START, Cost, cost_of, costs_by_window, cpu_seconds
from benchmarks.steps import print_steps
from harness.processes import Process, free_port, wait_until
from web.committed import Change, CommittedChanges, now

_NAIVE = """
SELECT title, COUNT(*) AS changes FROM read_parquet($files, hive_partitioning = false)
WHERE event_time > $after AND type IN ('edit', 'new') GROUP BY title ORDER BY changes DESC LIMIT 20"""
_TURNS: Final = 2
_ANSWERED_WITHIN = 5.0  # seconds in which every viewer has an answer


@dataclass(frozen=True)
class Size:
    """How much is measured: `rate` in changes per second."""

    history_days: int
    refreshes: int
    viewers: int
    seconds: int
    rate: int


class _Commit(NamedTuple):
    """In seconds since the epoch."""

    as_of: float
    appeared_at: float


def main() -> int:
    end_as_by_ctrl_c()
    parser = parser_of("web", __doc__)
    parser.add_argument("--rate", type=int, default=5, help="changes per second (default %(default)s)")
    parser.add_argument("--engine", choices=["duckdb", "spark"], action="append", help="only this one")
    parser.add_argument("--part", choices=["refreshes", "steps", "viewers"], help="only this one")
    options = parser.parse_args()
    size = Size(2, 6, 100, 15, options.rate) if options.quick else Size(7, 10, 1000, 60, options.rate)
    engines = options.engine or ["duckdb", "spark"]
    hour = an_hour(Random(1), size.rate)
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        if options.part in (None, "refreshes"):
            found += _refreshes(engines, Path(folder) / "refreshes", size, hour)
        if options.part in (None, "steps"):
            for name in engines:
                _steps(name, Path(folder) / f"steps-{name}", size, hour)
        if options.part in (None, "viewers"):
            print(f"\n{size.viewers} viewers for {size.seconds} s, on the same {os.cpu_count()} cores")
            for name in engines:
                found += _viewers(name, Path(folder) / f"viewers-{name}", size, hour)
    hand_over("web", found, options.json)
    return 0


def _refreshes(engines: Sequence[str], folder: Path, size: Size, hour: pa.Table) -> list[Figure]:
    """In turns: what runs later is warmer."""
    volume = live_volume(folder, 24 * size.history_days, hour, size.rate)
    running = {name: START[name]() for name in engines}
    found: list[Figure] = []
    for _ in range(_TURNS):
        for name, engine in running.items():
            refreshes = size.refreshes // _TURNS
            for window, costs in costs_by_window(name, engine, volume, refreshes=refreshes, rate=size.rate):
                found += _figures(f"refresh of {window}, {name}", costs)
                print(f"refreshed {window} with {name}, {engine.rows_held} rows held", flush=True)
        _ask_naively(volume)
        asked = [cost_of(partial(_ask_naively, volume)) for _ in range(size.refreshes // _TURNS)]
        found += _figures("a query of 30m over the whole folder", asked)
    for engine in running.values():
        engine.close()
    return together(found)


def _figures(what: str, costs: Sequence[Cost]) -> Iterator[Figure]:
    yield Figure(what, "ms", tuple(cost.wall for cost in costs))
    yield Figure(f"{what}, processor time", "CPU ms", tuple(cost.cpu for cost in costs))


def _steps(name: str, folder: Path, size: Size, hour: pa.Table) -> None:
    engine = START[name]()
    print_steps(name, engine, live_volume(folder, 2, hour, size.rate), 4 * size.refreshes, size.rate)
    engine.close()


def _ask_naively(volume: CommittedChanges) -> None:
    with duckdb.connect(":memory:") as connection:
        files = [str(file) for file in volume.data_dir.glob("*/date=*/**/*.parquet")]
        connection.sql(_NAIVE, params={"files": files, "after": now() - HOUR / 2}).fetchall()


def _viewers(name: str, folder: Path, size: Size, hour: pa.Table) -> Iterator[Figure]:
    """Drive the running service on loopback while commits go on."""
    committed, port = live_volume(folder / "data", 2, hour, size.rate), free_port()
    web = Process(
        [sys.executable, "-m", "wiki_web"],
        log=folder / "web.log",
        env={
            "DATA_DIR": str(committed.data_dir),
            "WEB_ENGINE": name,
            "WEB_PORT": str(port),
            "BIND_ADDRESS": "127.0.0.1",
        },
    )
    ended = threading.Event()
    commits: list[_Commit] = []
    writer = threading.Thread(target=_write, args=(committed, size.rate, ended, commits))
    began = time.monotonic()
    writer.start()
    try:
        wait_until(lambda: _is_ready(port), timeout=180, what=f"web on {name} is ready")
        yield Figure(f"{name}: start to ready", "s", (time.monotonic() - began,))
        _drive(port, size.viewers, size.seconds // 2, told=False)
        yield from _phase(f"{name}, polling", web, port, size, told=False)
        yield from _phase(f"{name}, on streams", web, port, size, told=True, commits=commits)
        refreshes = durations(port, "wiki_web_refresh_seconds")
        yield Figure(f"{name}: refresh beside viewers", "ms", (refreshes.mean * 1000,))
    finally:
        ended.set()
        writer.join()
        web.kill()


def _phase(
    what: str, web: Process, port: int, size: Size, *, told: bool, commits: Sequence[_Commit] = ()
) -> Iterator[Figure]:
    """Viewers for a while; of those who are told, also how far they are behind `commits`."""
    cpu = cpu_seconds(psutil.Process(web.pid))
    found = _drive(port, size.viewers, size.seconds, told=told)
    used = (cpu_seconds(psutil.Process(web.pid)) - cpu) / size.seconds
    print(f"{what}: viewers took {found['cpu_seconds'] / size.seconds:.2f} cores", flush=True)
    yield Figure(f"{what}: web", "cores", (used,))
    yield Figure(f"{what}: memory", "MB", (_resident_mb(web.pid),))
    yield from _answers(what, found["paths"])
    if told:
        shown = [each for seen in found["paths"].values() for each in seen["shown"]]
        yield from _behind(what, commits, shown)


def _write(committed: CommittedChanges, rate: int, ended: threading.Event, commits: list[_Commit]) -> None:
    random = Random(2)
    while not ended.wait(1):
        change = Change(datetime.now(UTC))
        committed.commit(*[replace(change, title=f"Title {random.randrange(5000)}") for _ in range(rate)])
        commits.append(_Commit(change.event_time.timestamp(), time.time()))


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def _resident_mb(pid: int) -> float:
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(float(member.memory_info().rss) for member in family) / 2**20


def _drive(port: int, viewers: int, seconds: int, *, told: bool) -> dict[str, Any]:
    """What benchmarks.viewers found, in a process of its own."""
    arguments = [*(str(number) for number in (port, viewers, seconds)), *(["--told"] if told else [])]
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.viewers", *arguments], check=True, stdout=subprocess.PIPE
    )
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def _answers(what: str, paths: dict[str, dict[str, Any]]) -> Iterator[Figure]:
    for path, seen in paths.items():
        statuses = ", ".join(f"{count} x {status}" for status, count in sorted(seen["statuses"].items()))
        print(f"  {path}: {statuses}", flush=True)
        percentiles = statistics.quantiles(seen["seconds"], n=100)
        for rank in (50, 99):
            yield Figure(f"{what}: answer of {path}, p{rank}", "ms", (percentiles[rank - 1] * 1000,))


def _behind(
    what: str, commits: Sequence[_Commit], viewers: Sequence[Sequence[Sequence[float]]]
) -> Iterator[Figure]:
    """From each commit until each viewer had an answer with it, but for those of the last seconds."""
    delays = []
    for shown in viewers:
        moments, as_ofs = zip(*shown, strict=True)
        for commit in commits:
            index = bisect_left(as_ofs, commit.as_of)
            if moments[0] < commit.appeared_at < moments[-1] - _ANSWERED_WITHIN and index < len(moments):
                delays.append(moments[index] - commit.appeared_at)
    percentiles = statistics.quantiles(delays, n=100)
    for rank in (50, 99):
        yield Figure(f"{what}: behind a commit, p{rank}", "s", (percentiles[rank - 1],))


if __name__ == "__main__":
    sys.exit(main())
