"""The tests' own scheduling: groups stay together, the longest begin, and workers are more than cores."""

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from harness import side_by_side

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[1]
MANY = """
import os, time, pathlib, pytest

@pytest.mark.parametrize("number", range(3))
def test_it(number):
    log("begin")
    time.sleep(0.2)
    log("end")

def log(what):
    line = f"{os.environ['PYTEST_XDIST_WORKER']} {pathlib.Path(__file__).stem} {what}\\n"
    with open("log", "a") as file:
        file.write(line)
"""
MARKED = """
import pytest

@pytest.fixture
def spark():
    pass

def test_without_a_mark():
    pass
"""
SLOW, LONG, SPARK = (
    "@pytest.mark.slow\ndef test_slow():\n    pass\n",
    "@pytest.mark.timeout(900)\ndef test_long():\n    pass\n",
    "def test_spark(spark):\n    pass\n",
)


def pytest_in(folder: Path, *options: str) -> str:
    """What it says of the tests there, by the rules of ours."""
    # Or one that lies in a folder above would be taken.
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="ascii")
    done = subprocess.run(
        (sys.executable, "-m", "pytest", "-p", "conftest", "-p", "no:cacheprovider", *options, "."),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{os.environ['PYTHONPATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_groups_share_a_worker(tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d"):
        (tmp_path / f"test_{name}.py").write_text(MANY, encoding="utf-8")
    assert "12 passed" in pytest_in(tmp_path, "-n", "2")
    workers = defaultdict(set)
    for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines():
        worker, file, _ = line.split()
        workers[file].add(worker)
    assert [len(of) for of in workers.values()] == [1, 1, 1, 1]
    assert set.union(*workers.values()) == {"gw0", "gw1"}


def test_what_takes_long_comes_first_and_a_file_in_one_piece(tmp_path: Path) -> None:
    files = {
        "tests/web/test_a": SPARK,
        "tests/consumer/test_b": "",
        "tests/consumer/test_c": LONG,
        "tests/consumer/test_d": SLOW,
        "tests/consumer/test_e": SLOW + SLOW.replace("slow()", "slower()"),
        "tests/consumer/test_f": SPARK + SLOW,
    }
    for name, text in files.items():
        file = tmp_path / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(MARKED + text, encoding="utf-8")
    found = pytest_in(tmp_path, "--collect-only", "--quiet", "--import-mode=importlib").splitlines()
    order = [line.removeprefix("tests/").replace(".py::test_", " ") for line in found if "::" in line]
    assert order == [
        "consumer/test_f spark",
        "web/test_a spark",
        *("consumer/test_e without_a_mark", "consumer/test_e slow", "consumer/test_e slower"),
        *("consumer/test_d without_a_mark", "consumer/test_d slow"),
        *("consumer/test_f without_a_mark", "consumer/test_f slow"),
        *("consumer/test_c without_a_mark", "consumer/test_c long"),
        "consumer/test_b without_a_mark",
        "web/test_a without_a_mark",
    ]


@pytest.mark.parametrize(
    ("cores", "gigabytes", "workers"), [(1, 64, 2), (2, 64, 4), (64, 64, 4), (8, 8, 2), (8, 2, 1)]
)
def test_there_are_more_workers_than_cores_up_to_a_number_and_as_memory_allows(
    monkeypatch: pytest.MonkeyPatch, cores: int, gigabytes: int, workers: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=gigabytes * 1024**3))
    assert side_by_side.workers() == workers
