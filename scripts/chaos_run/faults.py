"""Makes the faults of a schedule, each in a thread of its own, and takes them back."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import psutil

from chaos_run.children import Failure
from chaos_run.clocks import Clocks
from chaos_run.history import History
from chaos_run.schedule import Fault, Kind
from chaos_run.volume import Disk

Find = Callable[[str], psutil.Process | None]

_LOOK_EVERY: Final = 0.1
_APPEARS_WITHIN: Final = 90.0
"""Seconds that a process is waited for: longer than run-local's longest pause."""


class NoSuchProcess(Exception):
    """It wasn't there in time, or the run ended meanwhile."""


class Skipped(Exception):
    """This machine can't make such faults."""


class Faults:
    """`begin` starts one; `close` takes back all that still last."""

    def __init__(self, find: Find, clocks: Clocks | None, disk: Disk | None, history: History) -> None:
        """`find` gives a target's process; without `clocks` or `disk` their faults are skipped."""
        self._find = find
        self._clocks = clocks
        self._disk = disk
        self._history = history
        self._volume_turn = threading.Lock()
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._problem: Exception | None = None
        self._make: Mapping[Kind, Callable[[int, Fault], None]] = {
            Kind.KILL: self._kill,
            Kind.KILL_TWICE: self._kill_twice,
            Kind.STOP: self._stop,
            Kind.TERMINATE: self._terminate,
            Kind.CLOCK: self._set_clock,
            Kind.FULL: self._change_disk,
            Kind.READ_ONLY: self._change_disk,
            Kind.SLOW: self._change_disk,
        }

    def begin(self, number: int, fault: Fault) -> None:
        """Let fault `number` of the schedule happen now."""
        thread = threading.Thread(target=self._run, args=(number, fault), name=f"fault {number}")
        self._threads.append(thread)
        thread.start()

    def await_all(self, patience: float) -> None:
        """Wait for those that still last, `patience` seconds at most, and take back what is left.

        Raises Failure if one could not be made or taken back.
        """
        give_up = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, give_up - time.monotonic()))
        self.close()
        if self._problem is not None:
            raise Failure(f"a fault could not be made: {self._problem!r}") from self._problem

    def close(self) -> None:
        """Take back what still lasts."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int, fault: Fault) -> None:
        outcome = "done"
        try:
            self._make[fault.kind](number, fault)
        except (NoSuchProcess, psutil.NoSuchProcess):
            outcome = "missed"
        except Skipped:
            outcome = "skipped"
        except Exception as error:  # noqa: BLE001 - whatever it is, the run fails with it told
            self._problem, outcome = error, "failed"
        self._history.note("over", number=number, outcome=outcome)

    def _note(self, number: int, fault: Fault, **more: object) -> None:
        self._history.note("fault", number=number, kind=fault.kind, target=fault.target, **more)
        details = f", {fault.lasts:.0f} s" if fault.lasts else ""
        details += f", {fault.clock:+.0f} s" if fault.clock else ""
        self._history.say(f"{number}: {fault.kind}: {fault.target}{details}")

    def _wait(self, seconds: float) -> None:
        self._ended.wait(seconds)

    def _found(self, fault: Fault, *, other_than: int = 0) -> psutil.Process:
        """The process that the fault is for. One that had to be waited for is given the fault's delay.

        Raises NoSuchProcess.
        """
        give_up, waited = time.monotonic() + _APPEARS_WITHIN, False
        while not self._ended.is_set() and time.monotonic() < give_up:
            process = self._find(fault.target)
            if process is not None and process.pid != other_than:
                if not waited:
                    return process
                self._wait(fault.delay)
                waited = False
            else:
                waited = True
                self._wait(_LOOK_EVERY)
        raise NoSuchProcess

    def _kill(self, number: int, fault: Fault) -> None:
        process = self._found(fault)
        self._note(number, fault, pid=process.pid)
        process.kill()

    def _kill_twice(self, number: int, fault: Fault) -> None:
        process = self._found(fault)
        self._note(number, fault, pid=process.pid)
        process.kill()
        again = self._found(fault, other_than=process.pid)
        again.kill()
        self._history.note("again", number=number, pid=again.pid)

    def _terminate(self, number: int, fault: Fault) -> None:
        process = self._found(fault)
        self._note(number, fault, pid=process.pid)
        process.terminate()

    def _stop(self, number: int, fault: Fault) -> None:
        process = self._found(fault)
        self._note(number, fault, pid=process.pid, lasts=fault.lasts)
        process.suspend()
        try:
            self._wait(fault.lasts)
        finally:
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def _set_clock(self, number: int, fault: Fault) -> None:
        if self._clocks is None:
            raise Skipped
        self._note(number, fault, lasts=fault.lasts, ahead=fault.clock)
        try:
            self._clocks.set(fault.target, fault.clock)
            self._wait(fault.lasts)
        finally:
            self._clocks.set(fault.target, 0)

    def _change_disk(self, number: int, fault: Fault) -> None:
        if self._disk is None:
            raise Skipped
        with self._volume_turn:
            if self._ended.is_set():
                raise NoSuchProcess
            self._note(number, fault, lasts=fault.lasts)
            if fault.kind is Kind.FULL:
                self._disk.fill(lambda: self._wait(fault.lasts))
            elif fault.kind is Kind.READ_ONLY:
                self._disk.be_read_only(lambda: self._wait(fault.lasts))
            else:
                over = time.monotonic() + fault.lasts
                self._disk.be_slow(lambda: self._ended.is_set() or time.monotonic() > over)
