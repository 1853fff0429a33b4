"""Whose processor time it is."""

import subprocess
import sys

import pytest

from benchmarks.parts import cores, cpu_seconds, memory_bytes, open_files, part_of, threads

_BURN = "import time\nwhile time.process_time() < 0.5: pass\n"
_SAY_SO = "print(flush=True)\nimport sys\nsys.stdin.read()\n"
_RUN = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', {!r}])\n"
# Each says so when the processor time is used, and stays then.
CHILDREN = {"ended": _RUN.format(_BURN) + _SAY_SO, "living": _RUN.format(_BURN + _SAY_SO)}


@pytest.mark.parametrize(
    ("command", "part"),
    [
        (["python", "-m", "wiki_consumer"], "consumer"),
        (["java", "-Xmx512m", "-cp", "libs/*", "kafka.Kafka", "./kafka.properties"], "Kafka"),
        (["node", "cli.js", "run-driver"], "browser"),
        (["java", "org.apache.spark.deploy.SparkSubmit", "pyspark-shell"], None),
        ([], None),
    ],
)
def test_a_process_is_known_by_an_argument(command: list[str], part: str | None) -> None:
    assert part_of(command) == part


@pytest.mark.parametrize("child", CHILDREN)
@pytest.mark.parametrize(("name", "part"), [("wiki_web", "web"), ("anything", "bench")])
def test_a_child_counts_for_its_parents_part(name: str, part: str, child: str) -> None:
    before = cpu_seconds()
    command = [sys.executable, "-c", CHILDREN[child], name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        after = cpu_seconds()
    # The kernel counts in hundredths of a second.
    assert after[part] - before.get(part, 0) >= 0.45


def test_cores_are_seconds_per_second() -> None:
    found = cores({"web": 10.0, "ended": 3.0}, {"web": 15.0, "new": 1.0}, 10.0)
    assert found == {"web": 0.5, "new": 0.1}


def test_memory_that_a_part_takes_is_seen() -> None:
    taken = "import sys; held = bytearray(b'x') * 50_000_000; print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", taken, "wiki_web"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as web:
        assert web.stdout is not None
        web.stdout.readline()
        assert 50e6 < memory_bytes()["web"] < 80e6


_HOLDS = """
import sys, threading
files = [open(sys.executable, "rb") for _ in range(50)]
for _ in range(20): threading.Thread(target=threading.Event().wait, daemon=True).start()
print(flush=True); sys.stdin.read()
"""


def test_open_files_and_threads_of_a_part_are_seen() -> None:
    command = [sys.executable, "-c", _HOLDS, "wiki_web"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as web:
        assert web.stdout is not None
        web.stdout.readline()
        assert 53 <= open_files()["web"] < 60
        assert threads()["web"] == 21
