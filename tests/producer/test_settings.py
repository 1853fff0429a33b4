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
        ("WIKI_STREAM_URL", "ftp://stream.wikimedia.org/"),
        ("WIKI_STREAM_URL", "http://127.0.0.1:abc/v2"),
        ("WIKI_STREAM_URL", "http://[::1/v2"),
        ("WIKI_STREAM_URL", "http://[::1]x/v2"),
        ("WIKI_STREAM_URL", "http://[g::1]/v2"),
        ("WIKI_STREAM_URL", "http://127.0.0.1:99999/x"),
        ("WIKI_STREAM_URL", "http://127.0.0.1:0/x"),
        ("WIKI_STREAM_URL", "http://:80/x"),
        ("WIKI_STREAM_URL", "http://?x"),
        ("WIKI_STREAM_URL", "http://h:80:80/"),
        ("WIKI_STREAM_URL", "http://1.2.3.4.5/"),
        ("WIKI_STREAM_URL", "http://stream..org/"),
        ("WIKI_STREAM_URL", f"http://{'a' * 64}.org/"),
        ("WIKI_STREAM_URL", "http://xn--/"),
        ("WIKI_STREAM_URL", "http://str%eam.org/"),
        ("WIKI_STREAM_URL", "http://str\\eam.org/"),
        ("WIKI_STREAM_URL", "http://stream.org/a b"),
        ("WIKI_DOMAINS", "enwiki"),
        ("WIKI_DOMAINS", "en.wikipedia.org,dewiki"),
        ("WIKI_DOMAINS", "en.wikipedia.org."),
        ("WIKI_DOMAINS", "*.wikipedia.org"),
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


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8010/v2/stream/recentchange",
        "https://stream.wikimedia.org/v2/stream/recentchange?x=1#y",
        "HTTP://simulator:80",
        "http://[::1]:80/",
        "http://my_stream.example/",
        "http://wörter.example/",
    ],
)
def test_a_stream_may_be_on_any_host(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("WIKI_STREAM_URL", f" {url}\r")
    assert read_settings(Settings).wiki_stream_url == url


@pytest.mark.parametrize(
    ("variable", "value", "shown"),
    [
        ("WIKI_STREAM_URL", "http://user:s3cret@stream.example/", "http://…@stream.example/"),
        ("WIKI_STREAM_URL", "user:s3cret@stream.example", "…@stream.example"),
        ("WIKI_STREAM_URL", "ftp://user:s3@cret@stream.example", "ftp://…@stream.example"),
        ("WIKI_STREAM_URL", "https://user:s3cret /?#@stream.example:0", "https://…@stream.example:0"),
        ("KAFKA_BOOTSTRAP_SERVERS", "a:1,user:s3cret@kafka:9092", "…@kafka:9092"),
    ],
)
def test_a_login_in_a_wrong_value_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, shown: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidSettings) as wrong:
        read_settings(Settings)
    assert str(wrong.value).startswith(f"{variable}={shown}: ")
    assert "cret" not in str(wrong.value)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "HTTPS_PROXY"])
@pytest.mark.parametrize(
    "value", ["http://[::1/", "socks5://127.0.0.1:1080", "http://me:s3cret@proxy:99999", ":"]
)
def test_a_proxy_that_cannot_be_used_is_refused_without_its_login(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidSettings) as wrong:
        read_settings(Settings)
    assert str(wrong.value) == (
        f"{variable}=…: expected an http:// or https:// URL with a host, and a port up to 65535 if any"
    )


def test_a_database_name_for_a_domain_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIKI_DOMAINS", "enwiki")
    with pytest.raises(InvalidSettings, match=r"a domain such as en\.wikipedia\.org, not a database name"):
        read_settings(Settings)


@pytest.mark.parametrize("end", ["\r", "\r\n", " ", "\t \r"])
def test_white_space_and_line_ends_around_any_value_are_no_part_of_it(
    monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """As an .env file with Windows' line ends leaves them."""
    values = {
        "WIKI_STREAM_URL": "http://127.0.0.1:8010/x",
        "WIKI_DOMAINS": "de.wikipedia.org,fr.wikipedia.org",
        "WIKI_USER_AGENT": "mine/1.0 (https://example.org)",
        "WIKI_STREAM_IDLE_TIMEOUT": "30s",
        "MAX_EVENT_AGE": "2h",
        "KAFKA_BOOTSTRAP_SERVERS": "a:1,b:2",
        "KAFKA_TOPIC": "changes",
        "KAFKA_TOPIC_PARTITIONS": "3",
        "KAFKA_TOPIC_REPLICATION_FACTOR": "2",
        "KAFKA_TOPIC_RETENTION_HOURS": "5",
        "KAFKA_CONNECT_TIMEOUT": "10s",
        "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA_SASL_MECHANISM": "PLAIN",
        "KAFKA_SASL_USERNAME": "wiki",
        "METRICS_PORT": "9101",
        "BIND_ADDRESS": "127.0.0.1",
        "LOG_LEVEL": "debug",
        "LOG_FORMAT": "JSON",
    }
    monkeypatch.setenv("KAFKA_SASL_PASSWORD", "s3cret" + end.lstrip(" \t"))
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    plain = read_settings(Settings)
    for name, value in values.items():
        monkeypatch.setenv(name, end.strip("\r\n") + value + end)
    assert read_settings(Settings) == plain
    assert plain.kafka_sasl_password is not None
    assert plain.kafka_sasl_password.get_secret_value() == "s3cret"


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        read_settings(Settings).kafka_topic = "other"
