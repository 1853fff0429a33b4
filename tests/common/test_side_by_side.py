"""The tests' own scheduling: groups stay together, and what is marked alone runs while nothing else does."""

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

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


def test_groups_share_a_worker_and_alone_is_alone(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"test_{name}.py").write_text(MANY, encoding="utf-8")
    alone = MANY.replace("@pytest", "@pytest.mark.alone\n@pytest", 1)
    (tmp_path / "test_0.py").write_text(alone, encoding="utf-8")
    done = subprocess.run(
        (sys.executable, "-m", "pytest", "-p", "conftest", "-p", "no:cacheprovider", "-n", "2", "."),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{os.environ['PYTHONPATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "12 passed" in done.stdout, done.stdout
    workers = defaultdict(set)
    running: list[str] = []
    for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines():
        worker, file, what = line.split()
        workers[file].add(worker)
        if what == "end":
            running.remove(file)
            continue
        running.append(file)
        assert "test_0" not in running or running == ["test_0"], line
    assert [len(of) for of in workers.values()] == [1, 1, 1, 1]
    assert set.union(*workers.values()) == {"gw0", "gw1"}
