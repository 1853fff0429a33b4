"""All parts in one command: rounds, failures, and what is left."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks import whole
from benchmarks.figures import Figure
from benchmarks.machine import Machine
from benchmarks.part_run import Failed, run_part
from harness.leftovers import kill_all, processes_of
from harness.processes import Process, jvms, wait_until

_MACHINE = Machine("0123abc", "2026-01-31", 2, 24, "x86_64", 0.1)
_LEAVES_ONE = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
"""
_WRITES = """
import sys
from pathlib import Path
from benchmarks import figures
figures.write(Path(sys.argv[1]), [figures.Figure("batch", "s", (1.5,))])
"""


@dataclass(frozen=True)
class Stand(whole.Part):
    """Something quick in the place of a part; it notes that it runs."""

    script: str = _WRITES
    notes: list[str] = field(default_factory=list)

    def command(self, *, quick: bool, json: Path) -> list[str]:
        self.notes.append(self.name)
        return [sys.executable, "-c", self.script, str(json)]


def test_parts_take_turns_and_a_figure_has_a_repetition_of_each_round() -> None:
    order: list[str] = []
    parts = [Stand(name, 1, 1, notes=order) for name in ("producer", "web")]
    found = whole.measure(parts, 2, quick=False)
    assert order == ["producer", "web", "producer", "web"]
    told = whole.as_json(found, _MACHINE, 2, quick=False)
    assert told["parts"]["web"]["figures"][0]["values"] == (1.5, 1.5)
    assert told["machine"]["commit"] == "0123abc"
    assert {"pyspark", "java", "duckdb", "live-top"} <= told["versions"].keys()
    assert "| web | batch | s | **1.5** | 1.5 – 1.5 | 2 |" in whole.text(found, _MACHINE, 2, quick=False)


def test_a_part_that_fails_is_told_and_the_others_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    parts = [Stand("producer", 1, 1, script="raise SystemExit(3)"), Stand("web", 1, 1)]
    found = whole.measure(parts, 1, quick=True)
    assert found["producer"].failures == ["round 1: exit code 3"]
    assert found["web"].figures == [Figure("batch", "s", (1.5,))]
    assert "producer FAILED: exit code 3" in capsys.readouterr().out
    assert "producer failed in round 1: exit code 3" in whole.text(found, _MACHINE, 1, quick=True)


def test_what_a_part_leaves_running_is_ended_and_told(tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"left running: .*python"):
        run_part([sys.executable, "-c", _LEAVES_ONE], tmp_path, patience=60)
    assert processes_of(tmp_path) == []


def test_a_part_that_hangs_is_ended(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="not within 1 s"):
        run_part([sys.executable, "-c", "import time; time.sleep(600)"], tmp_path, patience=1)
    assert processes_of(tmp_path) == []


def test_each_part_has_its_module_and_takes_what_it_is_given() -> None:
    commands = {part.name: part.command(quick=False, json=Path("figures.json")) for part in whole.PARTS}
    # All at once, since each imports much.
    helps = {
        name: subprocess.Popen([*command, "--help"], stdout=subprocess.PIPE, text=True)
        for name, command in commands.items()
    }
    for name, process in helps.items():
        told, _ = process.communicate()
        assert process.returncode == 0
        assert told.startswith(f"usage: scripts/bench {name} ")


def bench(temporary: Path, *arguments: str) -> Process:
    """The command as scripts/bench runs it."""
    command = (sys.executable, "-m", "benchmarks.whole", "--quick", *arguments)
    return Process(command, log=temporary / "log", env={"TMPDIR": str(temporary)})


@pytest.mark.slow
def test_an_interrupted_run_leaves_nothing(temporary: Path) -> None:
    run = bench(temporary)
    try:
        wait_until(lambda: bool(jvms(processes_of(temporary))), timeout=200, what="a part has a broker")
        os.kill(run.pid, signal.SIGTERM)
        assert run.wait(120) == 143
        assert processes_of(temporary) == []
        assert [path.name for path in temporary.iterdir()] == ["log"]
    finally:
        run.kill()
        kill_all(temporary)
