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
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.command import LIVE_RATE, end_as_by_ctrl_c
from benchmarks.live_volume import live_volume, moved
from benchmarks.machine import this_machine
from benchmarks.parts import memory_bytes
from stream_simulator.wikis import WIKIS
from web.browser.running_web import RunningWeb
from web.committed import NOON, Change, CommittedChanges, changes_table

_HOURS: Final = 25
_SECONDS: Final = 30  # for which each view is looked at
_VIEWS: Final = ("/", "/?window=6h", "/?window=24h&wiki=enwiki", "/?window=24h")
_BUSY: Final = 0.1  # of the changes: of titles that change again and again


def a_change(random: Random, time: datetime) -> Change:
    """Nearly all titles of a day are changed once or twice."""
    [wiki] = random.choices(WIKIS, [wiki.share for wiki in WIKIS])
    busy = random.random() < _BUSY
    number = int(random.paretovariate(0.7)) % 50_000 if busy else random.randrange(10**9)
    return Change(
        time,
        title=f"{'Busy' if busy else 'A title of usual length'} {number}",
        user=f"User {int(random.paretovariate(0.7)) % 50_000}",
        type=random.choices(("categorize", "edit", "log", "new"), (50, 41, 8, 2))[0],
        bot=random.random() < 1 / 3,
        wiki=wiki.name,
        comment=f"/* wbsetclaim-create:2||1 */ [[Property:P{number % 9999}]]: [[Q{number}]], by the batch",
        event_id=str(UUID(int=random.getrandbits(128))),
    )


def _with_titles_of_its_own(rows: pa.Table, start: datetime) -> pa.Table:
    """The changes from `start` on; except for the busy ones, no title occurs in two hours."""
    column = rows.schema.get_field_index("title")
    titles = rows["title"]
    own = pc.binary_join_element_wise(titles, f"{start:%H}", " ")
    own = pc.if_else(pc.starts_with(titles, "Busy"), titles, own)
    return moved(rows.set_column(column, rows.schema.field(column), own), start)


@contextmanager
def _growing(committed: CommittedChanges, rate: int) -> Iterator[None]:
    """A batch a second."""
    ended, random = threading.Event(), Random(2)

    def write() -> None:
        while not ended.wait(1):
            moment = datetime.now(UTC)
            committed.commit(*(a_change(random, moment) for _ in range(rate)))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        ended.set()
        writer.join()


def _ask(url: str) -> tuple[int, float]:
    """Status, and seconds."""
    began = time.monotonic()
    try:
        with urllib.request.urlopen(url, timeout=120) as response:  # noqa: S310 - web's own
            response.read()
            status = response.status
    except urllib.error.HTTPError as error:
        status = error.code
    return status, time.monotonic() - began


def _behind(web: RunningWeb) -> float:
    """Seconds that the top is behind."""
    answer = json.loads(web.get("/api/v1/top?limit=1") or "{}")
    return (datetime.now(UTC) - datetime.fromisoformat(answer["as_of"])) / timedelta(seconds=1)


def _look_at(web: RunningWeb, path: str) -> None:
    """As a viewer whose page polls, for a while."""
    asked: list[tuple[int, float]] = []
    until = time.monotonic() + _SECONDS
    ended = threading.Event()

    def view() -> None:
        while not ended.wait(2):
            asked.append(_ask(f"{web.url}{path}"))

    viewer = threading.Thread(target=view)
    viewer.start()
    memory, behind = [], []
    while time.monotonic() < until or not asked:
        memory.append(memory_bytes()["web"] / 1e6)
        behind.append(_behind(web))
        time.sleep(0.2)
    ended.set()
    viewer.join()
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
    random = Random(1)
    count = 3600 * options.rate
    hour = changes_table(
        a_change(random, NOON + timedelta(seconds=number // options.rate)) for number in range(count)
    )
    with tempfile.TemporaryDirectory(prefix="day-") as name:
        data = Path(name, "data")
        committed = live_volume(data, _HOURS, hour, options.rate, _with_titles_of_its_own)
        began = time.monotonic()
        with _growing(committed, options.rate), RunningWeb(Path(name), 2, engine=options.engine) as web:
            web.wait_until_ready()
            print(f"ready after {time.monotonic() - began:.1f} s", flush=True)
            for path in _VIEWS:
                _look_at(web, path)
            lines = (web.get("/metrics") or b"").decode().splitlines()
            print(next(line for line in lines if line.startswith("wiki_web_rows_held ")))


if __name__ == "__main__":
    main()
