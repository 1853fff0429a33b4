"""What a process costs: its own memory and that of what it started, and since when it runs."""

import subprocess
import sys
import time
from contextlib import closing

import psutil
import pytest
from prometheus_client import CollectorRegistry

from wiki_common.process_metrics import watch_process

_CHILD = "import time; held = bytearray(100_000_000); print('holds', flush=True); time.sleep(600)"
# It starts another one: Spark's JVM may be started by a script.
_PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_CHILD!r}])"


@pytest.fixture
def registry() -> CollectorRegistry:
    found = CollectorRegistry()
    watch_process(found, "wiki_web_memory_bytes")
    return found


def memory(registry: CollectorRegistry) -> float:
    return registry.get_sample_value("wiki_web_memory_bytes") or 0.0


def test_the_memory_is_that_of_all_that_the_process_started(registry: CollectorRegistry) -> None:
    before = memory(registry)
    assert before >= 0.9 * (registry.get_sample_value("process_resident_memory_bytes") or 0.0) > 0
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE) as parent:
        family = psutil.Process(parent.pid)
        assert parent.stdout is not None
        with closing(parent.stdout):
            parent.stdout.readline()
            assert memory(registry) - before > 100_000_000
        for process in [*family.children(recursive=True), family]:
            process.kill()
    assert memory(registry) - before < 50_000_000


def test_since_when_it_runs_tells_of_a_restart(registry: CollectorRegistry) -> None:
    started = registry.get_sample_value("process_start_time_seconds")
    assert started is not None
    assert abs(started - psutil.Process().create_time()) < 2 < time.time()
