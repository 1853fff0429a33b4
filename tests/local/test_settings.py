from pathlib import Path

import pytest

from local_stack import services
from local_stack.broker import ROOT
from local_stack.settings import WrongSettings, read_settings


def test_a_wrong_value_is_one_line_that_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_PORT", "http")
    with pytest.raises(WrongSettings, match=r"^WEB_PORT=http: [^\n]+$"):
        read_settings(simulate=False)


def test_two_streams_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIKI_STREAM_URL", "http://127.0.0.1:1/stream")
    with pytest.raises(WrongSettings, match=r"^WIKI_STREAM_URL=.*--simulate"):
        read_settings(simulate=True)


def test_simulated_and_live_data_lie_apart() -> None:
    live, simulated = read_settings(simulate=False), read_settings(simulate=True)
    assert (live.state, live.data) == (ROOT / ".local", ROOT / ".local/data")
    assert (simulated.state, simulated.data) == (ROOT / ".local/simulate", ROOT / ".local/simulate/data")


def test_a_given_data_dir_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert read_settings(simulate=True).data == tmp_path


def test_a_given_broker_replaces_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "broker-1:9092,broker-2:9092")
    settings = read_settings(simulate=False)
    started = {service.name for stage in services.stages(settings) for service in stage}
    assert started == {"topic-init", "consumer", "web", "producer"}
    assert services.environment(settings)["KAFKA_BOOTSTRAP_SERVERS"] == "broker-1:9092,broker-2:9092"
    assert "KAFKA_PORT" not in settings.ports
