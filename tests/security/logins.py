"""Ways to log in to the secure broker, as environment variables: those that work and those refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.secure_broker import (
    ACCESS_KEY,
    PASSWORD,
    REGION,
    SECRET_KEY,
    STRANGER,
    USER,
    SecureBroker,
)

Env = dict[str, str]
_AWS = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    # No look at the files and the metadata service of the machine that the tests run on.
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_IAM = {"KAFKA_SASL_MECHANISM": "AWS_MSK_IAM", "AWS_REGION": REGION, **_AWS}


@dataclass(frozen=True)
class Login:
    """A listener and how to log in there; `says` is a part of the refusal, None if the login works."""

    listener: str
    env: Mapping[str, str] = field(default_factory=dict)
    says: str | None = None


def _password(mechanism: str, user: str = USER, password: str = PASSWORD) -> Env:
    return {
        "KAFKA_SASL_MECHANISM": mechanism,
        "KAFKA_SASL_USERNAME": user,
        "KAFKA_SASL_PASSWORD": password,
    }


_CERTIFICATE = {"KAFKA_SSL_CERTFILE": "@wiki.pem", "KAFKA_SSL_KEYFILE": "@wiki.key"}

WORKING: Mapping[str, Login] = {
    "plaintext": Login("plaintext"),
    "tls": Login("tls"),
    "client-certificate": Login("mutual_tls", _CERTIFICATE),
    "plain": Login("sasl", _password("PLAIN")),
    "scram-256": Login("sasl", _password("SCRAM-SHA-256")),
    "tls-plain": Login("sasl_tls", _password("PLAIN")),
    "tls-scram-256": Login("sasl_tls", _password("SCRAM-SHA-256")),
    "tls-scram-512": Login("sasl_tls", _password("SCRAM-SHA-512")),
    "iam": Login("iam", _IAM),
}


def _iam(access_key: str, secret_key: str) -> Env:
    return _IAM | {"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret_key}


_WRONG = "the broker refuses the login with {} (Authentication failed"
REFUSED: Mapping[str, Login] = {
    "wrong password, PLAIN": Login(
        "sasl_tls", _password("PLAIN", password="wr0ng-secret"), _WRONG.format("PLAIN")
    ),
    "wrong password, SCRAM": Login(
        "sasl_tls", _password("SCRAM-SHA-512", password="wr0ng-secret"), _WRONG.format("SCRAM-SHA-512")
    ),
    "unknown user": Login(
        "sasl", _password("SCRAM-SHA-256", user="nobody"), "KAFKA_SASL_USERNAME=nobody: the broker refuses"
    ),
    "mechanism not offered": Login(
        "sasl_tls", _IAM, "KAFKA_SASL_MECHANISM=AWS_MSK_IAM: the broker does not offer it on this port"
    ),
    "wrong secret key, IAM": Login(
        "iam",
        _iam(ACCESS_KEY, "wr0ng-secret"),
        f"AWS_REGION={REGION}: the broker refuses the login with AWS_MSK_IAM (",
    ),
    "no credentials, IAM": Login("iam", _iam("", ""), "no AWS credentials found: set AWS_ACCESS_KEY_ID and"),
    "expired certificate": Login("expired", {}, "the broker's certificate has expired"),
    "wrong host name": Login("wrong_host", {}, "the broker's certificate is for another host"),
    "untrusted authority": Login(
        "tls", {"KAFKA_SSL_CAFILE": ""}, "certificate is not from a trusted authority: set KAFKA_SSL_CAFILE"
    ),
    "no client certificate": Login("mutual_tls", {}, "set KAFKA_SSL_CERTFILE and KAFKA_SSL_KEYFILE"),
    "no rights": Login(
        "sasl_tls",
        _password("SCRAM-SHA-512", user=STRANGER),
        "KAFKA_TOPIC=wiki-changes: stranger has no right to it",
    ),
}


def environment(broker: SecureBroker, login: Login, topic: str = "wiki-changes") -> Env:
    """The variables of a service that uses `login`."""
    protocol = broker.protocol(login.listener)
    env = {
        "KAFKA_BOOTSTRAP_SERVERS": broker.servers(login.listener),
        "KAFKA_SECURITY_PROTOCOL": protocol,
        "KAFKA_TOPIC": topic,
        "BIND_ADDRESS": "127.0.0.1",
    }
    if protocol.endswith("SSL"):
        env["KAFKA_SSL_CAFILE"] = str(broker.cafile)
    folder: Path = broker.cafile.parent
    return env | {
        name: str(folder / value[1:]) if value.startswith("@") else value for name, value in login.env.items()
    }
