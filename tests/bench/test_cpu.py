"""Whose processor time it is."""

import subprocess
import sys

import pytest

from benchmarks.freshness.cpu import cores, cpu_seconds, part_of

_BURN = "import time\nwhile time.process_time() < 0.5: pass"
# Waits for a child that burns, says so, and stays.
_PARENT = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {_BURN!r}])
print(flush=True)
sys.stdin.read()
"""


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


@pytest.mark.parametrize(("name", "part"), [("wiki_web", "web"), ("anything", "bench")])
def test_a_child_that_has_ended_counts_for_its_parents_part(name: str, part: str) -> None:
    before = cpu_seconds()
    command = [sys.executable, "-c", _PARENT, name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        after = cpu_seconds()
    assert after[part] - before.get(part, 0) >= 0.5


def test_cores_are_seconds_per_second() -> None:
    found = cores({"web": 10.0, "ended": 3.0}, {"web": 15.0, "new": 1.0}, 10.0)
    assert found == {"web": 0.5, "new": 0.1}
