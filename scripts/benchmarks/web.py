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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import psutil
import pyarrow as pa
import pyarrow.compute as pc

from harness.processes import Process, free_port, wait_until
from web.committed import NOON, Change, CommittedChanges, changes_table, now
from wiki_web.answers import answer_of
from wiki_web.engines import Engine
from wiki_web.engines.duckdb_engine import DuckDBEngine
from wiki_web.engines.spark_engine import SparkEngine
from wiki_web.queries import Query
from wiki_web.store import Store

_HOUR = timedelta(hours=1)
_WINDOWS = {"30m": _HOUR / 2, "6h": 6 * _HOUR, "24h": 24 * _HOUR}
_SERVICE = Path(__file__).resolve().parents[2] / "services" / "web"
_NAIVE = """
SELECT title, COUNT(*) AS changes FROM read_parquet($files, hive_partitioning = false)
WHERE event_time > $after AND type IN ('edit', 'new') GROUP BY title ORDER BY changes DESC LIMIT 20"""
# Refreshes before those that count: Spark compiles what it runs often.
_WARM_UP = {"duckdb": 2, "spark": 5}


@dataclass(frozen=True)
class Size:
    """How much is measured: `rate` in changes per second."""

    history_days: int
    refreshes: int
    viewers: int
    seconds: int
    rate: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench web", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two days of history, 100 viewers for 10 s")
    parser.add_argument("--rate", type=int, default=10, help="changes per second (default %(default)s)")
    parser.add_argument("--engine", choices=["duckdb", "spark"], action="append", help="only this one")
    parser.add_argument("--part", choices=["refreshes", "viewers"], help="only this one")
    options = parser.parse_args()
    size = Size(2, 5, 100, 10, options.rate) if options.quick else Size(7, 10, 1000, 60, options.rate)
    engines = options.engine or ["duckdb", "spark"]
    hour = _an_hour(Random(1), size.rate)
    with tempfile.TemporaryDirectory() as folder:
        if options.part != "viewers":
            _refreshes(engines, Path(folder), size, hour)
        if options.part != "refreshes":
            print(f"\n{size.viewers} viewers for {size.seconds} s, on the same {os.cpu_count()} cores")
            for name in engines:
                _viewers(name, Path(folder) / f"viewers-{name}", size, hour)


def _an_hour(random: Random, rate: int) -> pa.Table:
    """One hour of changes from NOON on, with a natural skew of titles."""
    count = 3600 * rate
    changes = (
        Change(
            NOON + timedelta(seconds=number // rate),
            title=f"Title {int(random.paretovariate(0.7)) % 50_000}",
            user=f"User {random.randrange(3000)}",
            type=random.choice(["edit", "new", "categorize"]),
            bot=random.random() < 0.3,
        )
        for number in range(count)
    )
    return changes_table(changes)


def _moved(rows: pa.Table, start: datetime) -> pa.Table:
    """The same changes from `start` on."""
    shift = pa.scalar(start - NOON, pa.duration("us"))
    times = pc.add(rows["event_time"], shift)
    return rows.set_column(rows.schema.get_field_index("event_time"), rows.schema.field("event_time"), times)


def _store(folder: Path, hours: int, hour: pa.Table, *, closed: bool) -> CommittedChanges:
    """`hours` of changes until now, all but the last two as closed hours, or all as commits."""
    committed = CommittedChanges(folder)
    this_hour = now().replace(minute=0, second=0)
    for back in range(hours, 0, -1):
        start = this_hour - back * _HOUR
        if closed and back > 1:
            committed.close_hour(start, _moved(hour, start))
        else:
            committed.commit_table(_moved(hour, start))
    return committed


def _refreshes(engines: Sequence[str], folder: Path, size: Size, hour: pa.Table) -> None:
    """Both volumes hold the same rows for the longest window; one has days of history before them."""
    print("One refresh: a commit taken in and the top computed (medians)")
    print("engine  history  window   wall ms   CPU ms   rows held")
    volumes = {
        0: _store(folder / "empty", 25, hour, closed=False),
        size.history_days: _store(folder / "history", 24 * size.history_days, hour, closed=True),
    }
    start: dict[str, Callable[[], Engine]] = {
        "duckdb": DuckDBEngine,
        "spark": lambda: SparkEngine("local[*]"),
    }
    for name in engines:
        engine = start[name]()
        walls = {days: list(_windows(name, engine, days, volume, size)) for days, volume in volumes.items()}
        engine.close()
        ratios = [full / empty for empty, full in zip(*walls.values(), strict=True)]
        named = ", ".join(f"{window} {ratio:.2f}" for window, ratio in zip(_WINDOWS, ratios, strict=True))
        print(f"{name:7} with {size.history_days} d of history : empty = {named}", flush=True)
    for days, volume in volumes.items():
        _ask_naively(volume)
        costs = [_measured(partial(_ask_naively, volume)) for _ in range(size.refreshes)]
        _print("naive", days, "30m", costs, 0)


def _windows(name: str, engine: Engine, days: int, volume: CommittedChanges, size: Size) -> Iterator[float]:
    """The median wall milliseconds for each window."""
    store = Store(volume.data_dir, engine, timedelta(hours=24))
    store.refresh()
    for window, length in _WINDOWS.items():
        query = Query("top", length, 20)
        for _ in range(_WARM_UP[name]):
            _refresh_cost(store, volume, query, size.rate)
        costs = [_refresh_cost(store, volume, query, size.rate) for _ in range(size.refreshes)]
        _print(name, days, window, costs, store.rows_held)
        yield statistics.median(wall for wall, _ in costs)


def _refresh_cost(store: Store, committed: CommittedChanges, query: Query, rate: int) -> tuple[float, float]:
    committed.commit(*[Change(now(), title=f"Title {number}") for number in range(rate)])

    def refresh() -> None:
        store.refresh()
        _, as_of_us, run = store.prepare(query)
        answer_of(query, as_of_us, run())

    return _measured(refresh)


def _ask_naively(volume: CommittedChanges) -> None:
    with duckdb.connect(":memory:") as connection:
        files = [str(file) for file in volume.data_dir.glob("*/date=*/**/*.parquet")]
        connection.sql(_NAIVE, params={"files": files, "after": now() - _HOUR / 2}).fetchall()


def _measured(work: Callable[[], None]) -> tuple[float, float]:
    """Wall and CPU milliseconds of `work`, this process and its children together."""
    began, cpu = time.perf_counter(), _cpu_seconds(psutil.Process())
    work()
    return (time.perf_counter() - began) * 1000, (_cpu_seconds(psutil.Process()) - cpu) * 1000


def _cpu_seconds(process: psutil.Process) -> float:
    family = [process, *process.children(recursive=True)]
    return sum(member.cpu_times().user + member.cpu_times().system for member in family)


def _print(
    name: str, history_days: int, window: str, costs: list[tuple[float, float]], rows_held: int
) -> None:
    wall, cpu = (statistics.median(cost) for cost in zip(*costs, strict=True))
    print(f"{name:7} {history_days:5} d  {window:>6} {wall:9.0f} {cpu:9.0f} {rows_held:11}", flush=True)


def _viewers(name: str, folder: Path, size: Size, hour: pa.Table) -> None:
    """Drive the running service on loopback while commits go on."""
    committed, port = _store(folder / "data", 2, hour, closed=True), free_port()
    web = Process(
        [sys.executable, "-m", "wiki_web"],
        log=folder / "web.log",
        cwd=_SERVICE,
        env={
            "DATA_DIR": str(committed.data_dir),
            "WEB_ENGINE": name,
            "WEB_PORT": str(port),
            "BIND_ADDRESS": "127.0.0.1",
        },
    )
    ended = threading.Event()
    writer = threading.Thread(target=_write, args=(committed, size.rate, ended))
    began = time.monotonic()
    writer.start()
    try:
        wait_until(lambda: _is_ready(port), timeout=180, what=f"web on {name} is ready")
        print(f"{name:7} ready after {time.monotonic() - began:.1f} s", flush=True)
        for phase, seconds in (("warming up", size.seconds // 2), ("measured", size.seconds)):
            cpu = _cpu_seconds(psutil.Process(web.pid))
            found = _drive(port, size.viewers, seconds)
            used = (_cpu_seconds(psutil.Process(web.pid)) - cpu) / seconds
            print(
                f"  {phase}: {_resident_mb(web.pid):.0f} MB resident, {used:.2f} cores, "
                f"viewers {found['cpu_seconds'] / seconds:.2f} cores"
            )
            _print_requests(found["paths"])
        refreshes, in_all = _refreshes_done(port)
        print(f"  {refreshes} refreshes since the start, {in_all / refreshes * 1000:.0f} ms each", flush=True)
    finally:
        ended.set()
        writer.join()
        web.kill()


def _write(committed: CommittedChanges, rate: int, ended: threading.Event) -> None:
    random = Random(2)
    while not ended.wait(1):
        change = Change(now())
        committed.commit(*[replace(change, title=f"Title {random.randrange(5000)}") for _ in range(rate)])


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
    return int(float(lines["web_refresh_seconds_count"])), float(lines["web_refresh_seconds_sum"])


def _resident_mb(pid: int) -> float:
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(float(member.memory_info().rss) for member in family) / 2**20


def _drive(port: int, viewers: int, seconds: int) -> dict[str, Any]:
    """What benchmarks.viewers found, in a process of its own."""
    arguments = [str(number) for number in (port, viewers, seconds)]
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


if __name__ == "__main__":
    main()
