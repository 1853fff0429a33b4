"""Settings from flags and environment."""

import pytest

from stream_simulator.__main__ import main
from stream_simulator.settings import InvalidSettings, read_settings


def test_flags_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMULATOR_RATE", "100")
    monkeypatch.setenv("SIMULATOR_CUT_EVERY", "7")
    monkeypatch.setenv("BIND_ADDRESS", "127.0.0.1")
    settings = read_settings(["--rate", "200", "--refuse-status", "429"])
    assert (settings.rate, settings.cut_every, settings.refuse_status) == (200, 7, 429)
    assert settings.host == "127.0.0.1"
    assert read_settings(["--host", "::1"]).host == "::1"


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--port", "zero"], "SIMULATOR_PORT=zero"),
        (["--rate", "20001"], "SIMULATOR_RATE=20001"),
        (["--refuse-status", "500"], "SIMULATOR_REFUSE_STATUS=500"),
        (["--log-level", "LOUD"], "LOG_LEVEL=LOUD"),
        (["--events", "5"], "SIMULATOR_EVENTS=5"),
        (["--ledger", "/proc/none/ledger"], "SIMULATOR_LEDGER=/proc/none/ledger"),
        (["--speed", "9"], "--speed"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_it(
    flags: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(flags) == 2
    text = capsys.readouterr().err
    assert named in text
    assert len(text.splitlines()) == 1


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMULATOR_SEED", "-1")
    with pytest.raises(InvalidSettings, match=r"^SIMULATOR_SEED=-1: "):
        read_settings([])
