"""Where a refresh's time goes: statement by statement and, of Spark's, step by step."""

import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final
from unittest.mock import patch

import pyarrow as pa
from pyspark.sql.classic.dataframe import DataFrame

from harness.processes import wait_until
from web.committed import Change, CommittedChanges, now
from wiki_web.data.answer_cache import AnswerCache
from wiki_web.data.engines.engine import Engine
from wiki_web.data.queries import Query
from wiki_web.data.store import Position, Store
from wiki_web.page.subject import Subject

_WARM_UP: Final = 10  # refreshes, which don't count
_GROUP: Final = "spark.jobGroup.id"


class _Watched(Store):
    """Notes the milliseconds of each step, under the statement's kind."""

    def __init__(self, committed: CommittedChanges, engine: Engine) -> None:
        super().__init__(committed.data_dir, engine, timedelta(hours=24))
        self._thread = threading.local()
        self.milliseconds: dict[tuple[str, str], list[float]] = defaultdict(list)

    @contextmanager
    def step(self, of: str, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.milliseconds[of, name].append((time.perf_counter() - began) * 1000)

    def prepare(
        self, query: Query, totals_at: Position | None = None
    ) -> tuple[Position, int, Callable[[], pa.Table]]:
        with self.step(query.kind, "prepare"):
            position, as_of_us, run = super().prepare(query, totals_at)

        def watched() -> pa.Table:
            self._thread.kind = query.kind
            with self.step(query.kind, "run"):
                return run()

        return position, as_of_us, watched

    def to_arrow(self, frame: DataFrame) -> pa.Table:
        """As DataFrame.toArrow, in parts of `run`."""
        kind = self._thread.kind
        with self.step(kind, "  plan"):
            frame._jdf.queryExecution().executedPlan()
        context = frame.sparkSession.sparkContext
        group = f"{kind} {len(self.milliseconds[kind, '  plan'])}"
        context.setLocalProperty(_GROUP, group)
        began = time.perf_counter()
        found = _to_arrow(frame)
        took = (time.perf_counter() - began) * 1000
        context.setLocalProperty(_GROUP, None)  # type: ignore[arg-type]  # which takes it away
        self.milliseconds[kind, "  jobs"].append(_in_jobs(context, group))
        self.milliseconds[kind, "  hand over"].append(took - self.milliseconds[kind, "  jobs"][-1])
        return found


_to_arrow: Final = DataFrame.toArrow


def _in_jobs(context: Any, group: str) -> float:
    """Milliseconds from the first job's start to the last one's end, which Spark reports a little later."""
    jobs: list[Any] = []

    def are_told() -> bool:
        ids = context.statusTracker().getJobIdsForGroup(group)
        jobs[:] = [context._jsc.sc().statusStore().job(each) for each in ids]
        return bool(jobs) and all(job.completionTime().isDefined() for job in jobs)

    wait_until(are_told, timeout=10, what="the jobs are reported", every=0.005)
    ends = [job.completionTime().get().getTime() for job in jobs]
    return float(max(ends) - min(job.submissionTime().get().getTime() for job in jobs))


def print_steps(name: str, engine: Engine, committed: CommittedChanges, refreshes: int, rate: int) -> None:
    """Of the default page's refreshes, medians. Statements run at once: theirs don't add up."""
    store = _Watched(committed, engine)
    store.refresh()
    queries = Subject(Query("top", timedelta(minutes=30), 20)).queries
    answers = AnswerCache(store, queries[0])

    def refresh() -> None:
        committed.commit(*[Change(now(), title=f"Title {number}") for number in range(rate)])
        for query in queries:
            answers.get(query)
        with store.step("all", "take in"):
            store.refresh()
        with store.step("all", "answer"):
            answers.refresh()

    with patch.object(DataFrame, "toArrow", lambda frame: store.to_arrow(frame)):
        for _ in range(_WARM_UP):
            refresh()
        store.milliseconds.clear()
        for _ in range(refreshes):
            refresh()
    print(f"\n{name}: where a refresh of 30 min goes, {store.rows_held} rows held (medians, ms)")
    for (of, step), found in sorted(store.milliseconds.items(), key=lambda item: item[0][0]):
        print(f"{of:9} {step:12} {statistics.median(found):6.0f}", flush=True)
