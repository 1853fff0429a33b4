"""Real SIGKILLs of the maintenance, and a reader that never stops looking."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from consumer.volumes import Volume

RUN: str = """
import os, signal, sys
from datetime import timedelta
from pathlib import Path
from consumer.volumes import NOW, Volume, grow_old

left = int(sys.argv[2])
def step(_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
volume = Volume(Path(sys.argv[1]), {})
reports = []
for _ in range(2):
    reports.append(volume.maintenance(on_step=step).run())
    grow_old(volume)
sys.exit(1 if any(report.failures for report in reports) else 0)
"""


def run_until_step(volume: Volume, step: int) -> int:
    """Run the maintenance in a process of its own that is killed after `step` steps; its exit code."""
    return subprocess.run(
        [sys.executable, "-c", RUN, str(volume.path), str(step)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=120,
        check=False,
    ).returncode


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_kills_one_after_the_other_while_a_reader_looks(volume: Volume, seed: int) -> None:
    """Until a run finds nothing more to do. The reader must see each row once, all the time."""
    seen: list[Counter[str]] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            # An hour that is published between the two looks at its end would be counted from both sides.
            before = volume.folders.history_end()
            try:
                now = volume.what_a_reader_sees()
            except FileNotFoundError:
                continue  # grow_old let the minutes pass in the middle of this look for which files are kept
            if volume.folders.history_end() == before:
                seen.append(now)

    reader = threading.Thread(target=look)
    reader.start()
    kills = 0
    steps = random.Random(seed)
    while run_until_step(volume, steps.randint(3, 9)) == -signal.SIGKILL:
        kills += 1
    done.set()
    reader.join(60)

    assert kills >= 2
    assert len(seen) > kills
    assert [rows for rows in seen if rows != volume.ids] == []
    assert volume.what_a_reader_sees() == volume.ids


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_killed_run_is_finished_by_the_next(continued: Volume, tmp_path: Path) -> None:
    for step in range(1, 40, 6):
        copy = continued.copy_to(tmp_path / str(step))
        if run_until_step(copy, step) != -signal.SIGKILL:
            break

        assert run_until_step(copy, 0) == 0
        assert set(copy.what_a_reader_sees().values()) == {1}
        assert {"0-0", "1-1", "2-1", "4-1", "5-0"} <= copy.what_a_reader_sees().keys()
    assert step > 7
