"""The command itself, briefly: the whole pipeline and a browser."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

_COMMAND = (sys.executable, "-m", "benchmarks.freshness", "--quick", "--engine=duckdb")

pytestmark = [pytest.mark.slow, pytest.mark.bench, pytest.mark.timeout(900)]


def run(*arguments: str) -> str:
    return subprocess.run([*_COMMAND, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def test_every_stage_of_a_short_run_is_measured(tmp_path: Path) -> None:
    picture = tmp_path / "freshness.svg"
    found = run("--trigger=500ms", f"--plot={picture}")
    row = next(line for line in found.splitlines() if line.startswith("| duckdb"))
    _, engine, rate, trigger, events, whole, *stages = (cell.strip() for cell in row.split("|"))
    assert (engine, rate, trigger) == ("duckdb", "40", "500ms")
    # Twenty seconds, forty events in each, one in eight English, two in five of these counted.
    assert 15 <= int(events) <= 80
    p50 = float(re.findall(r"[\d.]+", whole)[0])
    assert p50 > 0
    assert all(float(stage.split(" / ")[0]) <= p50 for stage in stages[:4])
    assert picture.read_text(encoding="utf-8").startswith("<svg")


def test_idle_costs_are_measured() -> None:
    rows = [line.split("|") for line in run("--idle").splitlines() if line.startswith("| duckdb")]
    assert [row[3].strip() for row in rows] == ["silent", "40/s of other wikis"]
