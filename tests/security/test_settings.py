"""Settings that contradict each other are refused at the start, by both services with the same line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import wiki_consumer.settings
import wiki_producer.settings
from harness.certificates import Authority
from wiki_common.settings import InvalidSettings, read_settings

SECRET = "s3cret-of-the-test"
SASL = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}
LOGIN = {"KAFKA_SASL_USERNAME": "wiki", "KAFKA_SASL_PASSWORD": SECRET}
SCRAM = {**SASL, "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512"}
IAM = {**SASL, "KAFKA_SASL_MECHANISM": "AWS_MSK_IAM"}

CONTRADICTIONS = {
    "KAFKA_BOOTSTRAP_SERVERS=b-1.example:9098,b-2.example: expected host:port": {
        "KAFKA_BOOTSTRAP_SERVERS": "b-1.example:9098,b-2.example"
    },
    "KAFKA_SECURITY_PROTOCOL=tls: Input should be": {"KAFKA_SECURITY_PROTOCOL": "tls"},
    "KAFKA_SASL_MECHANISM=: KAFKA_SECURITY_PROTOCOL=SASL_SSL needs": SASL | LOGIN,
    "KAFKA_SASL_MECHANISM=PLAIN: needs KAFKA_SECURITY_PROTOCOL SASL_SSL or": {
        "KAFKA_SASL_MECHANISM": "plain"
    },
    "KAFKA_SASL_USERNAME=wiki: needs KAFKA_SECURITY_PROTOCOL": LOGIN,
    "KAFKA_SASL_USERNAME=: KAFKA_SASL_MECHANISM=SCRAM-SHA-512 needs it": SCRAM
    | {"KAFKA_SASL_PASSWORD": SECRET},
    "KAFKA_SASL_PASSWORD=: KAFKA_SASL_MECHANISM=SCRAM-SHA-512 needs it": SCRAM
    | {"KAFKA_SASL_USERNAME": "wiki"},
    "KAFKA_SASL_PASSWORD_FILE=/nonexistent: No such file": SCRAM
    | {"KAFKA_SASL_PASSWORD_FILE": "/nonexistent"},
    "KAFKA_SASL_PASSWORD_FILE=/dev/null: the file is empty": SCRAM
    | {"KAFKA_SASL_PASSWORD_FILE": "/dev/null"},
    "KAFKA_SASL_PASSWORD_FILE=/x: KAFKA_SASL_PASSWORD is set as well": SCRAM
    | LOGIN
    | {"KAFKA_SASL_PASSWORD_FILE": "/x"},
    "AWS_REGION=: AWS_MSK_IAM needs the region": IAM,
    "KAFKA_SASL_USERNAME=wiki: AWS_MSK_IAM takes AWS credentials": IAM
    | {"AWS_REGION": "eu-central-1"}
    | LOGIN,
    "KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT: AWS_MSK_IAM needs SASL_SSL": {
        "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA_SASL_MECHANISM": "AWS_MSK_IAM",
        "AWS_REGION": "eu-central-1",
    },
    "KAFKA_SSL_CAFILE=/x: needs KAFKA_SECURITY_PROTOCOL SSL or SASL_SSL, not PLAINTEXT": {
        "KAFKA_SSL_CAFILE": "/x"
    },
    "KAFKA_SSL_CAFILE=/nonexistent: No such file": {
        "KAFKA_SECURITY_PROTOCOL": "SSL",
        "KAFKA_SSL_CAFILE": "/nonexistent",
    },
    "KAFKA_SSL_CAFILE=/dev/null: not a certificate in PEM form": {
        "KAFKA_SECURITY_PROTOCOL": "SSL",
        "KAFKA_SSL_CAFILE": "/dev/null",
    },
    "KAFKA_SSL_KEYFILE=: KAFKA_SSL_CERTFILE needs its private key": {
        "KAFKA_SECURITY_PROTOCOL": "SSL",
        "KAFKA_SSL_CERTFILE": "/x",
    },
}


def refusals(monkeypatch: pytest.MonkeyPatch, env: dict[str, str]) -> tuple[str, str]:
    """What producer and consumer say of these settings."""
    for name in [each for each in os.environ if each.startswith(("KAFKA_", "AWS_"))]:
        monkeypatch.delenv(name)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings) as producer:
        read_settings(wiki_producer.settings.Settings)
    with pytest.raises(InvalidSettings) as consumer:
        read_settings(wiki_consumer.settings.Settings)
    return str(producer.value), str(consumer.value)


@pytest.mark.parametrize("says", CONTRADICTIONS)
def test_a_contradiction_is_refused_by_both_services_with_the_same_line(
    monkeypatch: pytest.MonkeyPatch, says: str
) -> None:
    producer, consumer = refusals(monkeypatch, CONTRADICTIONS[says])
    assert producer == consumer
    assert producer.startswith(says)
    assert "\n" not in producer
    assert SECRET not in producer


def test_a_key_that_does_not_fit_its_certificate_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    one, other = authority.issue("one"), authority.issue("other")
    env = {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CERTFILE": str(one.certificate)}
    producer, consumer = refusals(monkeypatch, env | {"KAFKA_SSL_KEYFILE": str(other.key)})
    assert producer == consumer
    assert "fits KAFKA_SSL_KEYFILE" in producer
    producer, consumer = refusals(monkeypatch, env | {"KAFKA_SSL_KEYFILE": str(one.certificate)})
    assert producer == consumer
    assert "not an unencrypted PKCS#8 key" in producer


def test_the_password_comes_from_a_file_without_its_line_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(f" {SECRET} \n", encoding="utf-8")
    for name, value in (
        SCRAM | {"KAFKA_SASL_USERNAME": "wiki", "KAFKA_SASL_PASSWORD_FILE": str(file)}
    ).items():
        monkeypatch.setenv(name, value)
    for settings in (
        read_settings(wiki_producer.settings.Settings),
        read_settings(wiki_consumer.settings.Settings),
    ):
        assert settings.kafka_sasl_password is not None
        assert settings.kafka_sasl_password.get_secret_value() == f" {SECRET} "
        assert SECRET not in repr(settings)


@pytest.mark.parametrize("module", ["wiki_producer", "wiki_producer.topic_init", "wiki_consumer"])
def test_a_contradiction_ends_the_process_with_exit_2_and_one_line(module: str) -> None:
    services = Path(__file__).parents[2] / "services"
    path = os.pathsep.join(str(services / each) for each in ("common", "producer", "spark-consumer"))
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": path, **LOGIN}
    ended = subprocess.run(
        [sys.executable, "-m", module], env=env, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 2
    assert "KAFKA_SASL_USERNAME=wiki: needs KAFKA_SECURITY_PROTOCOL" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert SECRET not in ended.stdout + ended.stderr
