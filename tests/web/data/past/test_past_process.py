"""What computes past moments is a process of its own: it gives way, and neither ends nor outlives it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest

from harness.processes import wait_until
from wiki_web.data.engines import past_process
from wiki_web.data.engines.engine import EngineError
from wiki_web.data.engines.past_process import PastProcess
from wiki_web.data.engines.past_worker import serve
from wiki_web.data.queries import Statement
from wiki_web.data.rows import SCHEMA

PATIENCE = 60.0
READS = "SELECT content AS found FROM read_text('{file}')"
ASKED_BY_ANOTHER = """
import os, time
from wiki_web.data.engines.past_process import PastProcess
from wiki_web.data.queries import Statement
from wiki_web.data.rows import SCHEMA
past = PastProcess()
past.compute(Statement("SELECT 1", {}), [], SCHEMA.empty_table())
print(past.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def past() -> Iterator[PastProcess]:
    with closing(PastProcess()) as process:
        yield process


def answer(past: PastProcess, sql: str = "SELECT COUNT(*) AS found FROM changes") -> object:
    return past.compute(Statement(sql, {}), [], SCHEMA.empty_table())["found"][0].as_py()


def pid_of(past: PastProcess) -> int:
    assert past.pid is not None
    return past.pid


def niceness(pid: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, pid)


def lives(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is only nice")
def test_it_lets_others_have_the_core_first_and_goes_first_when_memory_is_short(past: PastProcess) -> None:
    assert answer(past) == 0
    assert niceness(pid_of(past)) == niceness(os.getpid()) + 10
    assert Path(f"/proc/{past.pid}/oom_score_adj").read_text() == "1000\n"


def test_it_goes_on_after_a_question_that_it_can_not_answer(past: PastProcess) -> None:
    with pytest.raises(EngineError, match=r"duckdb: .*no_such_table"):
        answer(past, "SELECT found FROM no_such_table")
    pid = pid_of(past)
    assert answer(past) == 0
    assert pid_of(past) == pid


def test_if_it_is_killed_that_question_fails_and_the_next_one_has_an_answer(
    past: PastProcess, tmp_path: Path
) -> None:
    never_written = tmp_path / "pipe"
    os.mkfifo(never_written)
    assert answer(past) == 0
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(answer, past, READS.format(file=never_written))
        with never_written.open("wb"):  # it reads
            os.kill(pid_of(past), signal.SIGKILL)
            with pytest.raises(EngineError, match="ended with -9"):
                waiting.result(PATIENCE)
    assert answer(past) == 0


def test_one_that_has_ended_meanwhile_is_started_anew(past: PastProcess) -> None:
    assert answer(past) == 0
    first = pid_of(past)
    os.kill(first, signal.SIGTERM)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert answer(past) == 0
    assert pid_of(past) != first


@pytest.mark.parametrize("ends_within", [30.0, 0.0])
def test_one_that_ends_just_when_it_is_asked_is_started_anew(
    monkeypatch: pytest.MonkeyPatch, ends_within: float
) -> None:
    """Each waits for no second question, and takes a while to end: perhaps longer than is waited."""
    monkeypatch.setattr(past_process, "_ENDS_WITHIN", ends_within)
    with closing(PastProcess(patience=0)) as past:
        assert [answer(past) for _ in range(4)] == [0] * 4


def test_it_ends_if_nobody_asks() -> None:
    asks, answers = socket.socketpair()
    with asks, answers:
        serve(answers, patience=0)


def test_it_ends_with_who_asks(tmp_path: Path) -> None:
    path = os.pathsep.join(filter(None, sys.path))
    asks = subprocess.Popen(
        (sys.executable, "-c", ASKED_BY_ANOTHER),
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    with asks:
        assert asks.stdout is not None
        pid = int(asks.stdout.readline())
        assert lives(pid)
        asks.kill()
    wait_until(lambda: not lives(pid), timeout=PATIENCE, what="it ends")
