"""`python -m soak_run`, as scripts/soak starts it."""

import json
import sys
from pathlib import Path

import pytest

from chaos_run import clocks
from harness.leftovers import kill_all, processes_of
from harness.processes import Process


def soak(temporary: Path, log: Path, *arguments: str) -> Process:
    return Process((sys.executable, "-m", "soak_run", *arguments), log=log, env={"TMPDIR": str(temporary)})


@pytest.mark.skipif(clocks.library() is None, reason="libfaketime is not installed")
@pytest.mark.slow
@pytest.mark.bench
@pytest.mark.timeout(900)
def test_a_short_run_looks_at_everything_twice(tmp_path: Path, temporary: Path) -> None:
    file = tmp_path / "soak.json"
    run = soak(temporary, tmp_path / "log", "--minutes=1", "--factor=2", f"--json={file}")
    try:
        # It is too short for nothing to grow.
        assert run.wait(800) in (0, 1), run.output()[-3000:]
        assert processes_of(temporary) == []
        assert "too short" in run.output().lower(), run.output()[-3000:]
    finally:
        run.kill()
        kill_all(temporary)
    told = json.loads(file.read_text(encoding="utf-8"))
    # Hours that are closed take longer: scripts/soak by itself shows them.
    assert told["hours"]["passed"] > 0
    found = {(row["measure"], row["of"]): row for row in told["rows"]}
    for part in ("producer", "consumer", "web", "Kafka", "ZooKeeper"):
        for measure in ("memory", "open files", "threads"):
            assert found[measure, part]["start"] > 0
            assert found[measure, part]["end"] > 0
    for name in ("batch", "refresh"):
        assert found["duration", name]["end"] > 0
    assert found["disk", "changes"]["end"] > 0
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("arguments", [("--minutes", "0"), ("--factor", "0"), ("--factor", "x")])
def test_a_wrong_argument_is_named(tmp_path: Path, temporary: Path, arguments: tuple[str, str]) -> None:
    run = soak(temporary, tmp_path / "log", *arguments)
    assert run.wait(60) == 2
    assert arguments[0] in run.output()
