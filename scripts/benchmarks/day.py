"""A page over a day of all wikis: what memory it takes, and how late it is when long windows are asked for.

The volume is as the consumer leaves it, and grows by the same rate. Memory is that of web and all that it has
started: what a container's limit counts, but for files in its /tmp.
"""

import argparse
import json
import statistics
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from benchmarks.all_wikis import growing, volume_of_all
from benchmarks.asking import ask
from benchmarks.beside import beside
from benchmarks.command import LIVE_RATE, end_as_by_ctrl_c
from benchmarks.machine import this_machine
from benchmarks.parts import memory_bytes
from web.browser.running_web import RunningWeb

_HOURS: Final = 25
_SECONDS: Final = 30  # for which each view is looked at
_VIEWS: Final = ("/", "/?window=6h", "/?window=24h&wiki=enwiki", "/?window=24h")


def _behind(web: RunningWeb) -> float:
    """Seconds that the top is behind."""
    answer = json.loads(web.get("/api/v1/top?limit=1") or "{}")
    return (datetime.now(UTC) - datetime.fromisoformat(answer["as_of"])) / timedelta(seconds=1)


def _look_at(web: RunningWeb, path: str) -> None:
    """As a viewer whose page polls, for a while."""
    asked: list[tuple[int, float]] = []
    until = time.monotonic() + _SECONDS

    def view(ended: threading.Event) -> None:
        while not ended.wait(2):
            asked.append(ask(web, path))

    memory, behind = [], []
    with beside(view):
        while time.monotonic() < until or not asked:
            memory.append(memory_bytes()["web"] / 1e6)
            behind.append(_behind(web))
            time.sleep(0.2)
    statuses = sorted({status for status, _ in asked})
    print(
        f"{path:24} {max(memory):6.0f} MB at most, {memory[-1]:5.0f} MB in the end; behind"
        f" {statistics.median(behind):.1f} s, at most {max(behind):.1f} s; status"
        f" {', '.join(map(str, statuses))}, first answer after {asked[0][1]:.1f} s",
        flush=True,
    )


def main() -> None:
    end_as_by_ctrl_c()
    parser = argparse.ArgumentParser(prog="scripts/bench day", description=__doc__)
    parser.add_argument(
        "--rate", type=int, default=LIVE_RATE, help="changes per second (default %(default)s)"
    )
    parser.add_argument("--engine", choices=["duckdb", "spark"], default="duckdb")
    options = parser.parse_args()
    print(
        f"{this_machine()} {options.engine}, {options.rate} changes/s of all wikis, {_HOURS} hours of them."
    )
    with tempfile.TemporaryDirectory(prefix="day-") as name:
        committed = volume_of_all(Path(name, "data"), _HOURS, options.rate)
        began = time.monotonic()
        with growing(committed, options.rate), RunningWeb(Path(name), 2, engine=options.engine) as web:
            web.wait_until_ready()
            print(f"ready after {time.monotonic() - began:.1f} s", flush=True)
            for path in _VIEWS:
                _look_at(web, path)
            lines = (web.get("/metrics") or b"").decode().splitlines()
            print(next(line for line in lines if line.startswith("wiki_web_rows_held ")))


if __name__ == "__main__":
    main()
