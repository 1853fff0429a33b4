import subprocess
import sys
import time
from pathlib import Path

import pytest

from chaos_run import clocks

TELL_AGAIN_AND_AGAIN = """
import time
while True:
    print(time.time(), flush=True)
    time.sleep(0.2)
"""


@pytest.mark.skipif(clocks.library() is None, reason="libfaketime is not installed")
def test_a_clock_is_set_while_its_process_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "clocks"
    monkeypatch.setenv(clocks.FOLDER, str(folder))
    set_clocks = clocks.Clocks(folder)
    process = subprocess.Popen(
        [sys.executable, "-c", TELL_AGAIN_AND_AGAIN],
        stdout=subprocess.PIPE,
        env=dict(clocks.environment("web")),
    )
    try:

        def await_ahead(seconds: float) -> None:
            assert process.stdout is not None
            give_up = time.monotonic() + 20
            while abs(float(process.stdout.readline()) - time.time() - seconds) > 2:
                assert time.monotonic() < give_up

        for ahead in (0, 300, -120, 0):
            set_clocks.set("web", ahead)
            await_ahead(ahead)
    finally:
        process.kill()
        process.communicate()


def test_without_a_folder_services_have_the_clock_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(clocks.FOLDER, raising=False)
    assert clocks.environment("web") == {}
