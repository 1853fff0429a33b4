"""`python -m chaos_run`, as scripts/chaos starts it."""

import os
import signal
import sys
from pathlib import Path

import pytest

from chaos_run.volume import OWN_MOUNTS
from harness.leftovers import kill_all, processes_of
from harness.processes import Process, wait_until

OWN = (
    ("unshare", "--mount", "env", f"{OWN_MOUNTS}=1") if os.geteuid() == 0 and sys.platform == "linux" else ()
)


@pytest.mark.slow
def test_an_interrupted_run_leaves_nothing(tmp_path: Path, temporary: Path) -> None:
    """By SIGTERM, which it takes as it takes Ctrl-C, and as a soak takes both."""
    command = (*OWN, sys.executable, "-m", "chaos_run", "--seed", "1", "--minutes", "1")
    history = tmp_path / "history.jsonl"
    run = Process((*command, "--history", str(history)), log=tmp_path / "log", env={"TMPDIR": str(temporary)})
    try:
        wait_until(lambda: '"what": "fault"' in _text(history), timeout=200, what="a fault is made")
        wait_until(lambda: len(processes_of(temporary)) > 6, timeout=200, what="processes run")
        os.kill(run.pid, signal.SIGTERM)
        assert run.wait(120) == 128 + signal.SIGTERM
        assert processes_of(temporary) == []
        assert list(temporary.iterdir()) == []
    finally:
        run.kill()
        kill_all(temporary)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


@pytest.mark.parametrize("arguments", [("--minutes", "0"), ("--engine", "pandas"), ("--seed", "x")])
def test_a_wrong_argument_is_named(tmp_path: Path, arguments: tuple[str, str]) -> None:
    run = Process((sys.executable, "-m", "chaos_run", *arguments), log=tmp_path / "log")
    assert run.wait(60) == 2
    assert arguments[0] in run.output()
