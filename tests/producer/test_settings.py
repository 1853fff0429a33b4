from datetime import timedelta

import pytest
from pydantic import ValidationError

from wiki_common import VERSION
from wiki_common.settings import InvalidSettings, read_settings
from wiki_producer.settings import Settings


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_the_topic_of_rejected_events_is_named_after_the_other() -> None:
    assert Settings(kafka_topic="changes").rejected_topic == "changes.rejected"


def test_the_default_user_agent_names_the_version() -> None:
    assert read_settings(Settings).wiki_user_agent.startswith(f"live-top-of-wikipedia/{VERSION} (https://")


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIKI_DOMAINS", " de.wikipedia.org, FR.wikipedia.org ,")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "a:1,[::1]:2,b-1.msk.eu-central-1.amazonaws.com:9098")
    monkeypatch.setenv("MAX_EVENT_AGE", "2h")
    settings = read_settings(Settings)
    assert settings.wiki_domains == ("de.wikipedia.org", "fr.wikipedia.org")
    assert settings.kafka_bootstrap_servers == ("a:1", "[::1]:2", "b-1.msk.eu-central-1.amazonaws.com:9098")
    assert settings.max_event_age == timedelta(hours=2)


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_SASL_MECHANISM", "")
    monkeypatch.setenv("WIKI_DOMAINS", "")
    assert read_settings(Settings).wiki_domains == ("en.wikipedia.org",)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WIKI_STREAM_URL", "stream.wikimedia.org"),
        ("WIKI_DOMAINS", "https://en.wikipedia.org"),
        ("WIKI_DOMAINS", ","),
        ("WIKI_USER_AGENT", "ünknown"),
        ("WIKI_STREAM_IDLE_TIMEOUT", "60"),
        ("MAX_EVENT_AGE", "0s"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka..internal:9092"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka:99999"),
        ("KAFKA_TOPIC", "a/b"),
        ("KAFKA_TOPIC_PARTITIONS", "zero"),
        ("KAFKA_TOPIC_REPLICATION_FACTOR", "0"),
        ("METRICS_PORT", "99999"),
        ("KAFKA_SECURITY_PROTOCOL", "tls"),
        ("KAFKA_SASL_MECHANISM", "Kerberos"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_variable_and_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidSettings) as wrong:
        read_settings(Settings)
    assert str(wrong.value).startswith(f"{variable}=")
    assert value.strip(",") in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        read_settings(Settings).kafka_topic = "other"
