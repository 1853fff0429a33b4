"""One run: the pipeline under a schedule of faults, drained, and compared with the stream."""

import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Final

import duckdb
from kafka.errors import KafkaError

from chaos_run import clocks, counts
from chaos_run.children import Failure, wait_until
from chaos_run.clocks import Clocks
from chaos_run.faults import Faults
from chaos_run.history import History
from chaos_run.looks import Looks
from chaos_run.pipeline import Pipeline
from chaos_run.processes import Processes
from chaos_run.schedule import Fault
from chaos_run.stream import Stream
from chaos_run.volume import Disk, NoDisk

_LONGEST_FAULT: Final = 90.0
_DRAINED_WITHIN: Final = 360.0
_SETTLED_AFTER: Final = 10.0
"""Seconds after which nothing was counted once more."""
_EVERY: Final = 2.0
_TOLD_EVERY: Final = 30.0
_SHOWN: Final = 20
_NOT_NOW: Final = (duckdb.Error, KafkaError, OSError, HTTPException, counts.Incomplete)


@dataclass(frozen=True)
class Plan:
    """What is to be done."""

    seed: int
    seconds: float
    engine: str
    faults: Sequence[Fault]
    processes: Sequence[str]
    """Those that must be there at the end."""


class Run:
    """Everything starts when it is made, and ends with `close`."""

    def __init__(self, plan: Plan, history: History) -> None:
        self._plan = plan
        self._history = history
        self._open = ExitStack()
        self._folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        self._volume = self._folder / "volume"
        self._data = self._volume / "data"
        self._keep = False
        try:
            self._start()
        except BaseException:
            self.close(keep=False)
            raise

    def _start(self) -> None:
        disk, clock_files = self._disk(), self._clock_files()
        self._open.callback(self._copy_volume)
        enter = self._open.enter_context
        self._stream = enter(closing(Stream(self._folder, self._plan.seconds, self._plan.seed)))
        self._pipeline = enter(
            closing(
                Pipeline(
                    self._folder,
                    data=self._data,
                    stream_url=self._stream.url,
                    engine=self._plan.engine,
                    clock_files=clock_files,
                )
            )
        )
        self._looks = enter(
            closing(
                Looks(
                    self._pipeline.web_port, self._history, begins=self._stream.begins, ends=self._stream.ends
                )
            )
        )
        self._processes = Processes(self._pipeline.pid)
        set_clocks = Clocks(clock_files) if clock_files else None
        self._faults = enter(closing(Faults(self._processes.find, set_clocks, disk, self._history)))
        self._history.say(f"{self._stream.events} events, {self._stream.rate}/s; logs are in {self._folder}")

    def _disk(self) -> Disk | None:
        try:
            return self._open.enter_context(closing(Disk(self._folder / "disk", self._volume)))
        except NoDisk as reason:
            self._history.say(f"skipped: the disk full, read-only or slow: {reason}")
            return None

    def _clock_files(self) -> Path | None:
        if clocks.library() is None:
            self._history.say("skipped: clocks that are set: libfaketime is not installed")
            return None
        return self._folder / "clocks"

    def make_faults(self) -> None:
        """Make the schedule's faults until the stream ends. Raises Failure."""
        told = 0.0
        waiting = list(enumerate(self._plan.faults, start=1))
        for number, fault in waiting:
            self._history.note("planned", number=number, **asdict(fault))
        while time.time() < self._stream.ends or waiting:
            self._check_runs()
            while waiting and time.time() >= self._stream.begins + waiting[0][1].at:
                self._faults.begin(*waiting.pop(0))
            if self._history.seconds > told + _TOLD_EVERY:
                told = self._history.seconds
                self._history.say(f"the page is {self._looks.behind:.0f} s behind")
            time.sleep(0.1)
        self._history.say("the stream has ended")
        self._faults.await_all(_LONGEST_FAULT)

    def compare(self) -> None:
        """Wait until all that the stream handed out is counted everywhere, once. Raises Failure."""
        give_up = time.monotonic() + _DRAINED_WITHIN
        while reason := self._difference():
            self._check_runs()
            if time.monotonic() > give_up:
                raise Failure(f"not within {_DRAINED_WITHIN:g} s after the last fault: {reason}")
            time.sleep(_EVERY)
        self._history.say("stream, topic, volume and page agree")
        time.sleep(_SETTLED_AFTER)
        if reason := self._difference():
            raise Failure(f"{_SETTLED_AFTER:g} s after all agreed: {reason}")
        wait_until(self._all_run, timeout=_LONGEST_FAULT, what="all processes run again by themselves")
        self._check_runs()

    def _all_run(self) -> bool:
        return all(self._processes.find(name) for name in self._plan.processes)

    def _check_runs(self) -> None:
        self._stream.check_runs()
        self._pipeline.check_runs()

    def _difference(self) -> str | None:
        """What isn't counted as the stream says, title by title; None if all agree."""
        if missing := self._stream.not_handed_out():
            return f"{missing} events of the stream were not asked for"
        try:
            events = self._stream.kept()
            stream = counts.of_stream(events)
            found = counts.differences(
                stream,
                {
                    "topic": counts.of_topic(self._pipeline.bootstrap_servers),
                    "volume": counts.of_volume(self._data),
                    "page": counts.of_page(self._pipeline.web_port, events),
                },
            )
        except _NOT_NOW as error:
            return f"{type(error).__name__}: {error}"
        self._history.note("compared", changes=stream.total(), titles=len(stream), different=found)
        return _told(found) if found else None

    def close(self, *, keep: bool) -> None:
        """End everything that was started; with `keep` the logs and a copy of the volume stay."""
        self._keep = keep
        self._open.close()
        if keep:
            self._history.say(f"logs and the volume are kept in {self._folder}")
        else:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _copy_volume(self) -> None:
        """Before its disk is taken away."""
        if self._keep and self._data.exists():
            shutil.copytree(self._data, self._folder / "volume-at-the-end")


def _told(found: dict[str, dict[str, int]]) -> str:
    """The differing titles, as many as can be read; the history has all."""
    lines = [f"  {title}: {counted}" for title, counted in list(found.items())[:_SHOWN]]
    return "\n".join([f"{len(found)} titles differ", *lines])
