"""The threads behind the answers: what they live through, and what ends the process."""

import errno
import itertools
import os
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Protocol

import pyarrow as pa
import pytest
from inotify_simple import INotify
from structlog.testing import capture_logs

from harness.processes import wait_until
from web.committed import Change, CommittedChanges, now
from wiki_common.coverage import Coverage
from wiki_web.data.answer_cache import AnswerCache
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.engines.engine import EngineDied, EngineError, Progress
from wiki_web.data.queries import Query
from wiki_web.data.refresher import Refresher, pause_after
from wiki_web.data.rows import Hour
from wiki_web.data.store import Store
from wiki_web.metrics import Metrics

DEFAULT = Query("top", timedelta(minutes=30), 20)
HUNG_AFTER = 3.0


class FailingEngine(DuckDBEngine):
    """Its appends raise `failure` while there is one."""

    failure: Exception | None = None

    def append(self, rows: pa.Table) -> None:
        if self.failure:
            raise self.failure
        super().append(rows)


class SlowEngine(DuckDBEngine):
    """Its load goes on until `go`, and tells its progress unless it `hangs`."""

    def __init__(self, *, hangs: bool) -> None:
        super().__init__()
        self.go = threading.Event()
        self._hangs = hangs

    def load(self, hours: Sequence[Hour], tail: pa.Table, horizon_us: int, progress: Progress) -> None:
        for done in itertools.count():
            if self.go.wait(HUNG_AFTER / 50):
                break
            if not self._hangs:
                progress(done)
        super().load(hours, tail, horizon_us, progress)


class Running:
    """A refresher over committed changes; `ends` are the reasons for which it would end the process."""

    def __init__(self, committed: CommittedChanges, engine: DuckDBEngine, period: float) -> None:
        self._metrics = Metrics()
        store = Store(committed.data_dir, engine, timedelta(hours=24))
        self.answers = AnswerCache(store, DEFAULT)
        self.ends: list[str] = []
        self.refresher = Refresher(store, self.answers, period, self._metrics, self.ends.append, HUNG_AFTER)
        self.refresher.start()

    def changes(self) -> int:
        return self.answers.get(DEFAULT).answer.sums.totals.changes

    def failures(self) -> float:
        return self.sample("wiki_web_refresh_failures_total")

    def sample(self, name: str) -> float:
        return self._metrics.registry.get_sample_value(name) or 0

    def await_changes(self, count: int) -> None:
        wait_until(lambda: self.changes() == count, timeout=30, what=f"{count} changes are counted")

    def await_batch(self, number: int) -> None:
        """The answer that is shown is at that batch."""

        def is_shown() -> bool:
            shown = self.answers.shown()
            batch = shown.position.batch if shown and shown.position else None
            return batch is not None and batch.number == number

        wait_until(is_shown, timeout=30, what=f"batch {number} is shown", every=0.005)

    def await_end(self) -> str:
        wait_until(lambda: bool(self.ends), timeout=30, what="the refresher gives up")
        return self.ends[0]


class Run(Protocol):
    def __call__(self, engine: DuckDBEngine, period: float = 0.01) -> Running: ...


@pytest.fixture
def failing_engine() -> Iterator[FailingEngine]:
    engine = FailingEngine()
    yield engine
    engine.close()


@pytest.fixture
def run(committed: CommittedChanges) -> Iterator[Run]:
    """Start a refresher over one change."""
    committed.commit(Change(now()))
    started: list[Running] = []

    def start(engine: DuckDBEngine, period: float = 0.01) -> Running:
        started.append(Running(committed, engine, period))
        return started[-1]

    yield start
    for each in started:
        each.refresher.stop()


def test_a_batch_that_cannot_be_read_is_tried_for_as_long_as_it_takes(
    run: Run, committed: CommittedChanges, duckdb_engine: DuckDBEngine
) -> None:
    running = run(duckdb_engine)
    running.await_changes(1)
    torn = committed.tear(Change(now()))
    wait_until(lambda: running.failures() > 12, timeout=30, what="the file was tried a dozen times")
    assert torn.name in str(running.refresher.failure)
    assert running.changes() == 1
    committed.commit(Change(now()))
    running.await_changes(2)
    # The answer is there a moment before the refresh that computed it has ended.
    wait_until(lambda: running.refresher.failure is None, timeout=30, what="the failure is over")
    assert running.ends == []


def test_an_engine_that_fails_once_counts_what_it_missed(
    run: Run, committed: CommittedChanges, failing_engine: FailingEngine
) -> None:
    running = run(failing_engine)
    running.await_changes(1)
    failing_engine.failure = EngineError("asked to fail")
    committed.commit(Change(now()))
    wait_until(lambda: running.failures() > 0, timeout=30, what="the engine has failed")
    failing_engine.failure = None
    running.await_changes(2)
    assert running.ends == []


def test_an_engine_that_fails_ten_times_in_a_row_ends_the_process(
    run: Run, committed: CommittedChanges, failing_engine: FailingEngine
) -> None:
    running = run(failing_engine)
    running.await_changes(1)
    failing_engine.failure = EngineError("asked to fail")
    committed.commit(Change(now()))
    assert running.await_end() == "10 refreshes failed, the last: EngineError: asked to fail"
    assert running.failures() == 10


def test_an_engine_that_died_ends_the_process_at_once(
    run: Run, committed: CommittedChanges, failing_engine: FailingEngine
) -> None:
    running = run(failing_engine)
    running.await_changes(1)
    failing_engine.failure = EngineDied("the JVM is gone")
    committed.commit(Change(now()))
    assert running.await_end() == "the JVM is gone"
    assert running.failures() == 0
    wait_until(lambda: running.refresher.hung_for() is not None, timeout=30, what="it no longer seems alive")


def test_an_error_that_nobody_expected_ends_the_process_with_its_cause_in_the_log(
    run: Run, committed: CommittedChanges, failing_engine: FailingEngine
) -> None:
    running = run(failing_engine)
    running.await_changes(1)
    failing_engine.failure = ZeroDivisionError("a mistake of ours")
    with capture_logs() as logged:
        committed.commit(Change(now()))
        assert running.await_end().endswith("ZeroDivisionError('a mistake of ours')")
    assert [line["exc_info"] for line in logged if "exc_info" in line] == [failing_engine.failure]


def test_a_load_that_gets_further_is_alive_however_long_it_takes(run: Run) -> None:
    engine = SlowEngine(hangs=False)
    running = run(engine)
    began = time.monotonic()
    wait_until(
        lambda: time.monotonic() - began > 2 * HUNG_AFTER or bool(running.ends),
        timeout=10 * HUNG_AFTER,
        what="the load has taken longer than a hung one may",
    )
    assert running.ends == []
    assert running.refresher.hung_for() is None
    engine.go.set()
    running.await_changes(1)


def test_a_load_that_hangs_ends_the_process(run: Run) -> None:
    engine = SlowEngine(hangs=True)
    running = run(engine)
    wait_until(lambda: running.refresher.hung_for() is not None, timeout=30, what="it seems hung")
    assert running.await_end() == "no progress for 3 s"
    engine.go.set()
    running.await_changes(1)


def test_a_commit_is_shown_at_once_however_long_the_period(
    run: Run, committed: CommittedChanges, duckdb_engine: DuckDBEngine
) -> None:
    """By the clock it would be seen after 15 s. Each second batch is the first in the folder of its date."""
    running = run(duckdb_engine, period=60)
    running.await_changes(1)
    waits = []
    for number in range(6):
        time.sleep(0.1)  # until it waits again
        batch = committed.commit(Change(now() - timedelta(days=number // 2)), covered=Coverage(now()))
        appeared = time.monotonic()
        running.await_batch(batch)
        waits.append(time.monotonic() - appeared)
    assert statistics.median(waits) < 0.5
    assert max(waits) < 5
    # Observed right after the answer is there.
    wait_until(
        lambda: running.sample("wiki_web_behind_seconds_count") == 6, timeout=30, what="all ages are observed"
    )
    assert running.sample("wiki_web_committed_to_answer_seconds_count") == 6
    assert running.sample("wiki_web_committed_to_answer_seconds_sum") < 30


def test_it_stops_at_once_however_long_the_period(run: Run, duckdb_engine: DuckDBEngine) -> None:
    before = set(threading.enumerate())
    running = run(duckdb_engine, period=60)
    running.await_changes(1)
    names = {"refresh_for_ever", "rebase_for_ever", "watch"}
    threads = {thread for thread in threading.enumerate() if thread.name in names} - before
    assert len(threads) == len(names)
    time.sleep(0.5)  # until it waits
    running.refresher.stop()
    assert not any(thread.is_alive() for thread in threads)
    assert running.ends == []


def test_where_the_folder_cannot_be_watched_it_is_looked_at_by_the_clock_and_that_is_told_once(
    run: Run, committed: CommittedChanges, duckdb_engine: DuckDBEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(INotify, "add_watch", none_left)
    with capture_logs() as logged:
        running = run(duckdb_engine, period=0.2)
        running.await_changes(1)
        for number in (2, 3):
            committed.commit(Change(now()))
            running.await_changes(number)
    told = [line for line in logged if "can't be watched" in line["event"]]
    assert [line["reason"] for line in told] == ["[Errno 28] No space left on device"]


def test_batches_that_come_quickly_are_refreshed_with_rests_between(
    run: Run, committed: CommittedChanges, duckdb_engine: DuckDBEngine
) -> None:
    running = run(duckdb_engine, period=60)
    running.await_changes(1)
    began = time.monotonic()
    for _ in range(100):
        committed.commit(Change(now()))
    running.await_changes(101)
    took = time.monotonic() - began
    assert running.sample("wiki_web_refresh_seconds_count") <= 101
    assert running.sample("wiki_web_refresh_seconds_sum") < 0.8 * took + 0.5


@pytest.mark.parametrize(
    ("worked", "failures", "pause"),
    [
        (0.0, 0, 0.5),
        (0.1, 0, 0.5),
        (1.0, 0, 1.5),
        (9.0, 0, 2.0),
        (9.0, 1, 2.0),
        (0.0, 2, 4.0),
        (0.0, 99, 10.0),
    ],
)
def test_it_pauses_longer_after_long_work_and_after_failures(
    worked: float, failures: int, pause: float
) -> None:
    assert pause_after(2.0, worked, failures) == pause
