"""What one refresh of the page costs: a commit taken in, and the page's three answers computed."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Final, NamedTuple

import psutil

from benchmarks.live_volume import HOUR
from web.committed import Change, CommittedChanges, now
from wiki_web.data.answer_cache import AnswerCache
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.engines.engine import Engine
from wiki_web.data.engines.spark_engine import SparkEngine
from wiki_web.data.long_queries import TooManyChanges
from wiki_web.data.queries import Query
from wiki_web.data.store import Store
from wiki_web.page.subject import Subject

WINDOWS: Final = {"30m": HOUR / 2, "6h": 6 * HOUR, "24h": 24 * HOUR}
START: Final[dict[str, Callable[[], Engine]]] = {
    "duckdb": DuckDBEngine,
    "spark": lambda: SparkEngine("local[*]"),
}
# Refreshes before those that count: Spark compiles what it runs often.
_WARM_UP: Final = {"duckdb": 2, "spark": 10}


class Cost(NamedTuple):
    """In milliseconds."""

    wall: float
    cpu: float


def costs_by_window(
    name: str, engine: Engine, volume: CommittedChanges, *, refreshes: int, rate: int
) -> Iterator[tuple[str, list[Cost]]]:
    """What `refreshes` of each window cost with the engine `name`, each with `rate` new changes.

    A window that has more changes than the engine counts is left out, and said so.
    """
    store = Store(volume.data_dir, engine, timedelta(hours=24))
    store.refresh()
    for window, length in WINDOWS.items():
        queries = Subject(Query("top", length, 20)).queries
        answers = AnswerCache(store, queries[0])

        cost = partial(_refresh_cost, store, answers, volume, queries, rate)
        try:
            for _ in range(_WARM_UP[name]):
                cost()
        except TooManyChanges as error:
            print(f"{name} is not measured: {error}", flush=True)
            continue
        yield window, [cost() for _ in range(refreshes)]


def _refresh_cost(
    store: Store, answers: AnswerCache, committed: CommittedChanges, queries: Sequence[Query], rate: int
) -> Cost:
    for query in queries:
        answers.get(query)
    committed.commit(*[Change(now(), title=f"Title {number}") for number in range(rate)])

    def refresh() -> None:
        store.refresh()
        answers.refresh()

    return cost_of(refresh)


def cost_of(work: Callable[[], None]) -> Cost:
    """What `work` takes, this process and its children together."""
    began, cpu = time.perf_counter(), cpu_seconds(psutil.Process())
    work()
    wall = (time.perf_counter() - began) * 1000
    return Cost(wall, (cpu_seconds(psutil.Process()) - cpu) * 1000)


def cpu_seconds(process: psutil.Process) -> float:
    """Of the process and all below it."""
    family = [process, *process.children(recursive=True)]
    return sum(member.cpu_times().user + member.cpu_times().system for member in family)
