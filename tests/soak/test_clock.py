"""A clock that goes fast while it is asked to."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from chaos_run import clocks
from soak_run.clock import LEAP, SPEED, VARIABLES, FastClock

TELL_AGAIN_AND_AGAIN = """
import time
while True:
    print(time.time(), flush=True)
    time.sleep(0.05)
"""


def test_it_begins_before_an_hour_can_be_closed_and_leaps_only_while_it_may(tmp_path: Path) -> None:
    clock = FastClock(tmp_path / "clocks", ["web", "kafka"])
    assert 24 * 60 <= clock.now() % 3600 < 24 * 60 + 5
    assert 0 <= clock.now() - time.time() <= 3600
    began, before = time.monotonic(), clock.now()
    leaps = iter([True, False, True])
    clock.run(1.5, lambda: next(leaps, False))
    time.sleep(0.5)
    took = time.monotonic() - began
    assert took >= 2
    assert clock.now() - before == pytest.approx(2 * LEAP * (SPEED - 1) / SPEED + took, abs=0.1)
    for service in ("web", "kafka"):
        told = float((tmp_path / "clocks" / service).read_text(encoding="ascii"))
        assert told == pytest.approx(clock.now() - time.time(), abs=1)


def test_it_ends_early_once_it_is_enough(tmp_path: Path) -> None:
    clock = FastClock(tmp_path / "clocks", ["web"])
    began, before = time.monotonic(), clock.now()
    clock.run(60, lambda: True, enough=lambda: clock.now() - before > 2.5 * LEAP)
    assert 2.5 * LEAP < clock.now() - before < 4 * LEAP
    assert time.monotonic() - began < 30


@pytest.mark.skipif(clocks.library() is None, reason="libfaketime is not installed")
def test_a_process_sees_each_leap_at_once(tmp_path: Path) -> None:
    """So that it is no larger than it must be, and the services' clocks agree."""
    folder = tmp_path / "clocks"
    clock = FastClock(folder, ["web"])
    process = subprocess.Popen(
        [sys.executable, "-c", TELL_AGAIN_AND_AGAIN],
        stdout=subprocess.PIPE,
        env={**clocks.variables(folder, "web"), **VARIABLES},
    )
    assert process.stdout is not None
    differences: list[float] = []
    runner = threading.Thread(target=clock.run, args=(3, lambda: True))
    try:
        process.stdout.readline()
        runner.start()
        while runner.is_alive():
            differences.append(abs(float(process.stdout.readline()) - clock.now()))
    finally:
        process.kill()
        process.communicate()
        runner.join()
    # It may be asked just before a leap that is made before we ask.
    assert sum(difference < 2 for difference in differences) > len(differences) / 2
    assert max(differences) < 3 * LEAP
