"""The health command where nothing answers; test_main asks a running simulator."""

import pytest

from harness.processes import free_port
from stream_simulator.health import main


def test_it_names_the_reason_when_nothing_answers(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    assert main(["--host=127.0.0.1", f"--port={port}"]) == 1
    text = capsys.readouterr().out
    assert text.startswith(f"no answer on port {port}: ")
    assert len(text.splitlines()) == 1


def test_a_wrong_setting_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port=x"]) == 2
    assert capsys.readouterr().err.startswith("SIMULATOR_PORT=x: ")
