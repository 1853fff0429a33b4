"""Faults at real processes, which stand for those of the pipeline."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from chaos_run.faults import Faults
from chaos_run.history import History
from chaos_run.report import read
from chaos_run.schedule import Fault, Kind
from harness.processes import wait_until

SLEEP = ("sleep", "600")


class Kept:
    """A process that is started again when it has ended, as by a supervisor."""

    def __init__(self) -> None:
        self.starts = 0
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def find(self, target: str) -> psutil.Process | None:
        """Looking is what starts it again."""
        with self._turn:
            if target != "one":
                return None
            if self._process is None or self._process.poll() is not None:
                self._process = subprocess.Popen(SLEEP)
                self.starts += 1
            return psutil.Process(self._process.pid)

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def kept() -> Iterator[Kept]:
    with closing(Kept()) as process:
        yield process


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.jsonl"


@pytest.fixture
def faults(kept: Kept, path: Path) -> Iterator[Faults]:
    with closing(History(path)) as history, closing(Faults(kept.find, None, None, history)) as made:
        yield made


def fault(kind: Kind, target: str = "one", *, lasts: float = 0) -> Fault:
    return Fault(0, kind, target, delay=0.1, lasts=lasts, clock=60)


def outcomes(path: Path) -> list[str]:
    return [entry["outcome"] for entry in read(path) if entry["what"] == "over"]


@pytest.mark.parametrize("kind", [Kind.KILL, Kind.TERMINATE])
def test_a_signal_ends_the_process_once(faults: Faults, kept: Kept, path: Path, kind: Kind) -> None:
    first = kept.find("one")
    assert first is not None
    faults.begin(1, fault(kind))
    faults.await_all(10)
    first.wait(10)
    assert kept.starts == 1
    assert outcomes(path) == ["done"]


def test_a_second_kill_meets_the_successor(faults: Faults, kept: Kept, path: Path) -> None:
    faults.begin(1, fault(Kind.KILL_TWICE))
    faults.await_all(10)
    assert kept.starts == 2
    killed = [entry["pid"] for entry in read(path) if entry["what"] in ("fault", "again")]
    assert len(set(killed)) == 2
    assert outcomes(path) == ["done"]


def test_a_stopped_process_goes_on_after_its_time(faults: Faults, kept: Kept) -> None:
    process = kept.find("one")
    assert process is not None
    faults.begin(1, fault(Kind.STOP, lasts=0.5))
    wait_until(lambda: process.status() == psutil.STATUS_STOPPED, timeout=10, what="it is stopped")
    faults.await_all(10)
    wait_until(lambda: process.status() == psutil.STATUS_SLEEPING, timeout=10, what="it goes on")


def test_the_end_takes_back_what_lasts(faults: Faults, kept: Kept) -> None:
    process = kept.find("one")
    assert process is not None
    faults.begin(1, fault(Kind.STOP, lasts=600))
    wait_until(lambda: process.status() == psutil.STATUS_STOPPED, timeout=10, what="it is stopped")
    faults.close()
    wait_until(lambda: process.status() == psutil.STATUS_SLEEPING, timeout=10, what="it goes on")


def test_what_is_not_there_is_missed_and_what_cannot_be_made_is_skipped(faults: Faults, path: Path) -> None:
    faults.begin(1, fault(Kind.KILL, "another"))
    faults.await_all(0.3)
    faults.begin(2, fault(Kind.CLOCK, "web"))
    faults.begin(3, fault(Kind.FULL, "volume"))
    faults.await_all(10)
    assert outcomes(path)[0] == "missed"
    assert outcomes(path)[1:] == ["skipped", "skipped"]
