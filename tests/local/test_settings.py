from pathlib import Path

import pytest

from local_stack import services
from local_stack.broker import ROOT
from local_stack.settings import read_settings
from wiki_common.settings import InvalidSettings


def test_a_wrong_value_is_one_line_that_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_PORT", "http")
    with pytest.raises(InvalidSettings, match=r"^WEB_PORT=http: [^\n]+$"):
        read_settings(simulate=False)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BIND_ADDRESS", "localhost"),
        ("BIND_ADDRESS", "::1"),
        ("KAFKA_PORT", "0"),
        ("STATE_DIR", "~no-such-user/x"),
    ],
)
def test_a_value_that_no_service_could_use_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidSettings, match=rf"^{variable}={value}: [^\n]+$"):
        read_settings(simulate=False)


def test_a_tilde_in_a_folder_is_the_home_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("STATE_DIR", "~/state")
    monkeypatch.setenv("DATA_DIR", "~/data")
    settings = read_settings(simulate=False)
    assert (settings.state, settings.data) == (tmp_path / "state", tmp_path / "data")
    assert services.environment(settings)["DATA_DIR"] == str(tmp_path / "data")


def test_white_space_around_a_value_is_no_part_of_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable, value in {
        "STATE_DIR": f" {tmp_path}\r",
        "WEB_PORT": "5001\r",
        "BIND_ADDRESS": "127.0.0.2 ",
        "WIKI_STREAM_URL": "http://127.0.0.1:1/stream\r",
        "SPARK_LOCAL_IP": "\r",
    }.items():
        monkeypatch.setenv(variable, value)
    settings = read_settings(simulate=False)
    assert (settings.state, settings.page_url) == (tmp_path, "http://127.0.0.2:5001")
    variables = services.environment(settings)
    assert variables["WIKI_STREAM_URL"] == "http://127.0.0.1:1/stream"
    assert (variables["BIND_ADDRESS"], variables["SPARK_LOCAL_IP"]) == ("127.0.0.2", "127.0.0.1")


def test_two_streams_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIKI_STREAM_URL", "http://127.0.0.1:1/stream")
    with pytest.raises(InvalidSettings, match=r"^WIKI_STREAM_URL=.*--simulate"):
        read_settings(simulate=True)


def test_simulated_and_live_data_lie_apart() -> None:
    live, simulated = read_settings(simulate=False), read_settings(simulate=True)
    assert (live.state, live.data) == (ROOT / ".local", ROOT / ".local/data")
    assert (simulated.state, simulated.data) == (ROOT / ".local/simulate", ROOT / ".local/simulate/data")


def test_a_given_data_dir_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert read_settings(simulate=True).data == tmp_path


def test_a_given_broker_replaces_our_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "broker-1:9092,broker-2:9092")
    settings = read_settings(simulate=False)
    started = {service.name for stage in services.stages(settings, tmp_path) for service in stage}
    assert started == {"topic-init", "consumer", "web", "producer"}
    assert services.environment(settings)["KAFKA_BOOTSTRAP_SERVERS"] == "broker-1:9092,broker-2:9092"
    assert "KAFKA_PORT" not in settings.ports
