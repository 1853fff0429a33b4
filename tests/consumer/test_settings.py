from datetime import timedelta

import pytest

from wiki_consumer import settings


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in settings.Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    read = settings.read()
    assert (read.kafka_topic, read.max_event_age, read.metrics_port) == (
        "wiki-changes",
        timedelta(minutes=30),
        9100,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_EVENT_AGE", "30"),
        ("TRIGGER_INTERVAL", "0s"),
        ("MAX_OFFSETS_PER_TRIGGER", "many"),
        ("METRICS_PORT", "70000"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka"),
        ("KAFKA_TOPIC", "a b"),
        ("SPARK_MASTER", "cluster"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_value_is_one_line_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(settings.InvalidSettings) as raised:
        settings.read()
    message = str(raised.value)
    assert message.startswith(f"{name}={value}: ")
    assert "\n" not in message


def test_an_invalid_setting_ends_with_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        settings.exit_naming(settings.InvalidSettings("X=1: no"))
    assert raised.value.code == 2
    assert capsys.readouterr().err == "wiki-consumer: X=1: no\n"
