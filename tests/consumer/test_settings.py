import os
import subprocess
import sys
from datetime import timedelta

import pytest

from wiki_common.settings import InvalidSettings, read_settings
from wiki_consumer.settings import Settings


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    read = read_settings(Settings)
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
        ("SPARK_CORES_MAX", "0"),
        ("SPARK_AUTHENTICATE_SECRET_FILE", "/nonexistent"),
        ("SPARK_AUTHENTICATE_SECRET_FILE", "/dev/null"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_value_is_one_line_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings) as raised:
        read_settings(Settings)
    message = str(raised.value)
    assert message.startswith(f"{name}={value}: ")
    assert "\n" not in message


@pytest.mark.parametrize("module", ["", ".health", ".checkpoint", ".maintenance"])
def test_an_invalid_setting_ends_each_command_with_code_2_and_a_line(module: str) -> None:
    arguments = ["--once"] if module == ".maintenance" else []
    ended = subprocess.run(
        [sys.executable, "-m", f"wiki_consumer{module}", *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "MAX_EVENT_AGE": "soon"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("MAX_EVENT_AGE=soon: ")
    assert len(ended.stderr.splitlines()) == 1
