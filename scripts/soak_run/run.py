"""One run: hours pass under load, and at its start and its end everything is looked at."""

import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.durations import Durations, durations, metrics_of
from chaos_run.children import Failure, wait_until
from chaos_run.history import History
from chaos_run.looks import Looks
from chaos_run.pipeline import Pipeline
from chaos_run.processes import Processes
from chaos_run.schedule import SERVICES, processes
from local_stack.services import TOPIC_INIT
from soak_run import usage
from soak_run.clock import SPEED, VARIABLES, FastClock
from soak_run.stream import SERVICE, Stream
from soak_run.usage import Folders, Usage

ENGINE: Final = "spark"
"""The one that the page has unless told otherwise, and the larger one."""
_HOURS_KEPT: Final = 2
"""Few enough that, within half an hour at the fast clock, as much goes as comes."""
_CLOSED_LATE: Final = 1.6
"""Hours from an hour's begin until it is closed."""
_SETTINGS: Final = {
    "HISTORY_RETENTION": f"{_HOURS_KEPT}h",
    "WEB_MAX_WINDOW": f"{_HOURS_KEPT}h",
    "KAFKA_TOPIC_RETENTION_HOURS": f"{_HOURS_KEPT}",
    **VARIABLES,
}
# An executor that isn't heard of for two minutes is given up; by the fast clock it is heard of every three.
_SPARK_DEFAULTS: Final = "spark.network.timeout 2h\n"
_SLOWEST_HOUR: Final = 3600 / (0.4 * SPEED)
"""Seconds that an hour takes at most: a leap waits for a batch, and how long that takes is the machine's."""
_UP_WITHIN: Final = 600.0
_SAMPLE_EVERY: Final = 5.0
_TOLD_EVERY: Final = 60.0
_SETTLED_WITHIN: Final = 5.0
"""Seconds until no batch is counted that began while the clock went fast."""
_MOST_BEHIND: Final = 300.0
"""Seconds: a stream that isn't kept up with says nothing about the load that it was to be."""


@dataclass(frozen=True)
class Plan:
    """Of `seconds` altogether, with `factor` times the live rate."""

    seconds: float
    factor: float

    @property
    def settling(self) -> float:
        """Seconds before the first look, at most: an hour's run has deleted by then, at the slowest too."""
        return 0.75 * (self.seconds - 2 * (self.look + self.calm))

    @property
    def settling_at_least(self) -> float:
        """Seconds in which JVMs reach their size, however fast hours pass."""
        return min(20 * 60, self.settling)

    @property
    def look(self) -> float:
        """Seconds of a look while the clock goes fast, at most: an hour of it, or less in a short run."""
        return min(_SLOWEST_HOUR, 0.2 * self.seconds)

    @property
    def calm(self) -> float:
        """Seconds of a look by an ordinary clock: durations are measured by that of the services."""
        return min(60.0, 0.1 * self.seconds)


@dataclass(frozen=True)
class Soaked:
    """What was seen at the start and at the end, and how many hours passed, were closed and were deleted.

    `steady` says whether hours were already deleted as fast as they came before the first look.
    """

    start: Usage
    end: Usage
    steady: bool
    hours: float
    closed: int
    deleted: int


class Run:
    """Everything starts when it is made, and ends with `close`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._open = ExitStack()
        self._folder = Path(tempfile.mkdtemp(prefix="soak-"))
        self._folders = Folders(self._folder / "data", self._folder / "state", self._folder / "tmp")
        self._told = time.monotonic()
        self._newest = ""
        try:
            self._start()
        except BaseException:
            self.close(keep=False)
            raise

    def _start(self) -> None:
        enter = self._open.enter_context
        self._history = enter(closing(History(self._folder / "history.jsonl")))
        clock_files = self._folder / "clocks"
        self._clock = FastClock(clock_files, [*SERVICES, TOPIC_INIT, SERVICE])
        self._begun = self._clock.now()
        self._stream = enter(closing(Stream(self._folder, clock_files, self._clock, self._plan.factor)))
        spark = self._folder / "spark"
        spark.mkdir()
        (spark / "spark-defaults.conf").write_text(_SPARK_DEFAULTS, encoding="ascii")
        self._pipeline = enter(
            closing(
                Pipeline(
                    self._folder,
                    data=self._folders.data,
                    stream_url=self._stream.url,
                    engine=ENGINE,
                    clock_files=clock_files,
                    settings={**_SETTINGS, "SPARK_CONF_DIR": str(spark)},
                )
            )
        )
        now, begins = self._clock.now, self._stream.begins
        self._looks = enter(closing(Looks(self._pipeline.web_port, self._history, begins=begins, now=now)))
        self._history.say(f"logs are in {self._folder}")

    def soak(self) -> Soaked:
        """Raises Failure if something ends, or the stream isn't kept up with."""
        wait_until(self._counts, timeout=_UP_WITHIN, what="the page counts changes")
        first = self._pids()
        began = time.monotonic()
        self._settle()
        steady, settled = self._is_steady(), time.monotonic()
        start, looked = self._look("first look"), time.monotonic()
        # The last look takes as long as the first one.
        self._pass("hours pass", self._plan.seconds - (looked - began) - (looked - settled))
        end = self._look("last look")
        if (last := self._pids()) != first:
            raise Failure(f"a process is not the same in the end: {first}, {last}")
        consumer = metrics_of(self._pipeline.consumer_port)
        return Soaked(
            start,
            end,
            steady,
            self._hours(),
            round(consumer["wiki_consumer_hours_closed_total"]),
            round(consumer["wiki_consumer_hours_expired_total"]),
        )

    def _settle(self) -> None:
        """Until as much goes as comes."""
        least = time.monotonic() + self._plan.settling_at_least
        self._pass(
            "settling",
            self._plan.settling,
            enough=lambda: time.monotonic() >= least and self._is_steady(),
        )

    def _is_steady(self) -> bool:
        return self._hours() > _HOURS_KEPT + _CLOSED_LATE

    def _counts(self) -> bool:
        self._check_runs()
        return self._looks.as_of > self._stream.begins

    def _hours(self) -> float:
        """How many have passed by the services' clock."""
        return (self._clock.now() - self._begun) / 3600

    def _pids(self) -> dict[str, int]:
        """Raises Failure if a process isn't there."""
        members = Processes(self._pipeline.pid)
        found = {name: members.find(name) for name in processes(ENGINE)}
        if missing := [name for name, process in found.items() if process is None]:
            raise Failure(f"not running: {', '.join(missing)}")
        return {name: process.pid for name, process in found.items() if process is not None}

    def _pass(
        self,
        what: str,
        seconds: float,
        each_tick: Callable[[], None] = lambda: None,
        enough: Callable[[], bool] = lambda: False,
    ) -> None:
        hours = seconds * SPEED / 3600
        self._history.say(f"{what}: up to {seconds:.0f} s, and {hours:.1f} hours of the services' clock")

        def tick() -> bool:
            self._check_runs()
            each_tick()
            if (now := time.monotonic()) > self._told + _TOLD_EVERY:
                self._told = now
                self._history.say(f"{self._hours():.1f} hours; the page is {self._looks.behind:.0f} s behind")
            return self._has_committed()

        self._clock.run(seconds, tick, enough)

    def _has_committed(self) -> bool:
        """Whether a batch has appeared since this was so last.

        A call to Kafka that takes long on a busy machine must not be taken for one that is not answered.
        """
        files = self._folders.data.glob("changes/date=*/*.parquet")
        before, self._newest = self._newest, max((file.name for file in files), default="")
        return self._newest > before

    def _check_runs(self) -> None:
        self._stream.check_runs()
        self._pipeline.check_runs()

    def _look(self, what: str) -> Usage:
        """Raises Failure if the page is behind."""
        samples: list[Usage] = []
        due = time.monotonic()

        def sample() -> None:
            nonlocal due
            if time.monotonic() >= due:
                due += _SAMPLE_EVERY
                samples.append(usage.now(self._folders))

        # The disk is fullest before an hour is closed.
        whole = self._hours() + 1
        self._pass(what, self._plan.look, sample, enough=lambda: self._hours() >= whole)
        return {**usage.during(samples), **self._calm()}

    def _calm(self) -> Usage:
        """How long batches and refreshes take by an ordinary clock. Raises Failure."""
        self._history.say(f"{self._plan.calm:.0f} s of an ordinary clock")
        time.sleep(_SETTLED_WITHIN)
        before = self._durations()
        time.sleep(self._plan.calm - _SETTLED_WITHIN)
        # On a busy machine a batch may take longer than a short look.
        wait_until(lambda: self._has_some_since(before), timeout=_MOST_BEHIND, what="a batch and a refresh")
        if self._looks.behind > _MOST_BEHIND:
            raise Failure(f"the stream isn't kept up with: the page is {self._looks.behind:.0f} s behind")
        return usage.of_durations(before, self._durations())

    def _has_some_since(self, before: dict[str, Durations]) -> bool:
        self._check_runs()
        return all(then.count > before[what].count for what, then in self._durations().items())

    def _durations(self) -> dict[str, Durations]:
        return {
            "batch": durations(self._pipeline.consumer_port, "wiki_consumer_batch_duration_seconds"),
            "refresh": durations(self._pipeline.web_port, "wiki_web_refresh_seconds"),
        }

    def close(self, *, keep: bool) -> None:
        """End everything that was started; with `keep` its folder stays."""
        self._open.close()
        if keep:
            print(f"logs and the volume are kept in {self._folder}", flush=True)
        else:
            shutil.rmtree(self._folder, ignore_errors=True)
