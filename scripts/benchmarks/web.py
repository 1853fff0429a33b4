"""What a refresh and a viewer cost with each engine, beside a query over the whole folder at every request.

On a shared machine only the ratios within one run mean anything: CPU time is printed beside wall time.
"""

import argparse
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
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import duckdb
import psutil
import pyarrow as pa

from benchmarks.live_volume import HOUR, an_hour, live_volume
from benchmarks.steps import print_steps
from harness.processes import Process, free_port, wait_until
from web.committed import Change, CommittedChanges, now
from wiki_web.data.answers import answer_of
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.engines.engine import Engine
from wiki_web.data.engines.spark_engine import SparkEngine
from wiki_web.data.queries import Query
from wiki_web.data.store import Store
from wiki_web.page.page_models import Subject

_WINDOWS = {"30m": HOUR / 2, "6h": 6 * HOUR, "24h": 24 * HOUR}
_NAIVE = """
SELECT title, COUNT(*) AS changes FROM read_parquet($files, hive_partitioning = false)
WHERE event_time > $after AND type IN ('edit', 'new') GROUP BY title ORDER BY changes DESC LIMIT 20"""
# Refreshes before those that count: Spark compiles what it runs often.
_WARM_UP = {"duckdb": 2, "spark": 3}
_TURNS = 2
_START: dict[str, Callable[[], Engine]] = {
    "duckdb": DuckDBEngine,
    "spark": lambda: SparkEngine("local[*]"),
}
_SETTLED = 5.0  # seconds in which every viewer has an answer


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


class _Cost(NamedTuple):
    """In milliseconds."""

    wall: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench web", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two days of history, 100 viewers for 10 s")
    parser.add_argument("--rate", type=int, default=10, help="changes per second (default %(default)s)")
    parser.add_argument("--engine", choices=["duckdb", "spark"], action="append", help="only this one")
    parser.add_argument("--part", choices=["refreshes", "steps", "viewers"], help="only this one")
    options = parser.parse_args()
    size = Size(2, 6, 100, 10, options.rate) if options.quick else Size(7, 10, 1000, 60, options.rate)
    engines = options.engine or ["duckdb", "spark"]
    hour = an_hour(Random(1), size.rate)
    with tempfile.TemporaryDirectory() as folder:
        if options.part in (None, "refreshes"):
            _refreshes(engines, Path(folder), size, hour)
        if options.part in (None, "steps"):
            for name in engines:
                _steps(name, Path(folder) / f"steps-{name}", size, hour)
        if options.part in (None, "viewers"):
            print(f"\n{size.viewers} viewers for {size.seconds} s, on the same {os.cpu_count()} cores")
            for name in engines:
                _viewers(name, Path(folder) / f"viewers-{name}", size, hour)


def _refreshes(engines: Sequence[str], folder: Path, size: Size, hour: pa.Table) -> None:
    """Both volumes hold the same rows for the longest window; one has days of history before them."""
    print("One refresh: a commit taken in and the page's three answers computed (medians)")
    print("engine  history  window   wall ms   CPU ms   rows held")
    volumes = {
        days: live_volume(folder / name, hours, hour, size.rate)
        for name, days, hours in (("empty", 0, 25), ("history", size.history_days, 24 * size.history_days))
    }
    for name in engines:
        engine = _START[name]()
        # In turns: what runs later is warmer.
        costs: dict[tuple[int, str], list[_Cost]] = defaultdict(list)
        for _ in range(_TURNS):
            for days, volume in volumes.items():
                for window, found in _windows(name, engine, volume, size):
                    costs[days, window] += found
        for (days, window), found in costs.items():
            _print(name, days, window, found, engine.rows_held)
        engine.close()
        walls = {key: statistics.median(cost.wall for cost in found) for key, found in costs.items()}
        ratios = (
            f"{window} {walls[size.history_days, window] / walls[0, window]:.2f}" for window in _WINDOWS
        )
        print(f"{name:7} with {size.history_days} d of history : empty = {', '.join(ratios)}", flush=True)
    for days, volume in volumes.items():
        _ask_naively(volume)
        naive = [_measured(partial(_ask_naively, volume)) for _ in range(size.refreshes)]
        _print("naive", days, "30m", naive, 0)


def _steps(name: str, folder: Path, size: Size, hour: pa.Table) -> None:
    engine = _START[name]()
    print_steps(name, engine, live_volume(folder, 2, hour, size.rate), 4 * size.refreshes, size.rate)
    engine.close()


def _windows(
    name: str, engine: Engine, volume: CommittedChanges, size: Size
) -> Iterator[tuple[str, list[_Cost]]]:
    """What refreshes of each window cost."""
    store = Store(volume.data_dir, engine, timedelta(hours=24))
    store.refresh()
    for window, length in _WINDOWS.items():
        queries = Subject(Query("top", length, 20)).queries
        for _ in range(_WARM_UP[name]):
            _refresh_cost(store, volume, queries, size.rate)
        counted = range(size.refreshes // _TURNS)
        yield window, [_refresh_cost(store, volume, queries, size.rate) for _ in counted]


def _refresh_cost(store: Store, committed: CommittedChanges, queries: Sequence[Query], rate: int) -> _Cost:
    committed.commit(*[Change(now(), title=f"Title {number}") for number in range(rate)])

    def refresh() -> None:
        store.refresh()
        for query in queries:
            _, as_of_us, run = store.prepare(query)
            answer_of(query, as_of_us, run())

    return _measured(refresh)


def _ask_naively(volume: CommittedChanges) -> None:
    with duckdb.connect(":memory:") as connection:
        files = [str(file) for file in volume.data_dir.glob("*/date=*/**/*.parquet")]
        connection.sql(_NAIVE, params={"files": files, "after": now() - HOUR / 2}).fetchall()


def _measured(work: Callable[[], None]) -> _Cost:
    """What `work` takes, this process and its children together."""
    began, cpu = time.perf_counter(), _cpu_seconds(psutil.Process())
    work()
    wall = (time.perf_counter() - began) * 1000
    return _Cost(wall, (_cpu_seconds(psutil.Process()) - cpu) * 1000)


def _cpu_seconds(process: psutil.Process) -> float:
    family = [process, *process.children(recursive=True)]
    return sum(member.cpu_times().user + member.cpu_times().system for member in family)


def _print(name: str, history_days: int, window: str, costs: list[_Cost], rows_held: int) -> None:
    wall, cpu = (statistics.median(figures) for figures in zip(*costs, strict=True))
    print(f"{name:7} {history_days:5} d  {window:>6} {wall:9.0f} {cpu:9.0f} {rows_held:11}", flush=True)


def _viewers(name: str, folder: Path, size: Size, hour: pa.Table) -> None:
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
        print(f"{name:7} ready after {time.monotonic() - began:.1f} s", flush=True)
        print(f"  {_resident_mb(web.pid):.0f} MB resident before any viewer")
        for phase, seconds, told in (
            ("warming up", size.seconds // 2, False),
            ("polling", size.seconds, False),
            ("on streams", size.seconds, True),
        ):
            cpu = _cpu_seconds(psutil.Process(web.pid))
            found = _drive(port, size.viewers, seconds, told)
            used = (_cpu_seconds(psutil.Process(web.pid)) - cpu) / seconds
            print(
                f"  {phase}: {_resident_mb(web.pid):.0f} MB resident, {used:.2f} cores, "
                f"viewers {found['cpu_seconds'] / seconds:.2f} cores"
            )
            _print_requests(found["paths"])
            if told:
                _print_behind(commits, [shown for seen in found["paths"].values() for shown in seen["shown"]])
        refreshes, in_all = _refreshes_done(port)
        print(f"  {refreshes} refreshes since the start, {in_all / refreshes * 1000:.0f} ms each", flush=True)
    finally:
        ended.set()
        writer.join()
        web.kill()


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


def _refreshes_done(port: int) -> tuple[int, float]:
    """How many, and the seconds that they took in all."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
        lines = dict(line.rsplit(" ", 1) for line in response.read().decode().splitlines())
    return int(float(lines["wiki_web_refresh_seconds_count"])), float(lines["wiki_web_refresh_seconds_sum"])


def _resident_mb(pid: int) -> float:
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(float(member.memory_info().rss) for member in family) / 2**20


def _drive(port: int, viewers: int, seconds: int, told: bool) -> dict[str, Any]:
    """What benchmarks.viewers found, in a process of its own."""
    arguments = [*(str(number) for number in (port, viewers, seconds)), *(["--told"] if told else [])]
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.viewers", *arguments], check=True, stdout=subprocess.PIPE
    )
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def _print_requests(paths: dict[str, dict[str, Any]]) -> None:
    for path, seen in paths.items():
        percentiles = statistics.quantiles(seen["seconds"], n=100)
        p50, p90, p99 = (percentiles[rank - 1] * 1000 for rank in (50, 90, 99))
        statuses = ", ".join(f"{count} x {status}" for status, count in sorted(seen["statuses"].items()))
        print(f"    {path:12} {statuses}; p50 {p50:.1f} ms, p90 {p90:.1f} ms, p99 {p99:.1f} ms", flush=True)


def _print_behind(commits: Sequence[_Commit], viewers: Sequence[Sequence[Sequence[float]]]) -> None:
    """Seconds from each commit until each viewer had an answer with it, but for those of the last seconds."""
    delays = []
    for shown in viewers:
        moments, as_ofs = zip(*shown, strict=True)
        for commit in commits:
            place = bisect_left(as_ofs, commit.as_of)
            if moments[0] < commit.appeared_at < moments[-1] - _SETTLED and place < len(moments):
                delays.append(moments[place] - commit.appeared_at)
    percentiles = statistics.quantiles(delays, n=100)
    p50, p99 = percentiles[49], percentiles[98]
    print(f"    behind a commit: p50 {p50:.2f} s, p99 {p99:.2f} s, at most {max(delays):.2f} s", flush=True)


if __name__ == "__main__":
    main()
