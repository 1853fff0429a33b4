"""One real broker with every way to log in that the services offer, and the usual mistakes."""

import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from harness.certificates import Authority
from harness.kafka import Broker
from harness.processes import free_port
from local_stack.broker import LIBS
from local_stack.observe import broker_agent

HOST = "127.0.0.1"
SCRAM_MECHANISMS = (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512)
# Quotes, backslashes, a semicolon, spaces: what a JAAS line or a shell would trip over.
PASSWORD = r"""p"a's\s; =wörd\\"""
USER, STRANGER = "wiki", "stranger"
ACCESS_KEY, SECRET_KEY, REGION = "AKIDTESTTESTTEST", "secret/of+the=tests", "eu-central-1"
# How long a login with IAM lasts on each listener; MSK gives it 15 minutes.
SESSION_SECONDS = {"iam": 15, "iam_brief": 5}


@dataclass(frozen=True)
class _Listener:
    protocol: str
    certificate: str | None = None
    client_certificate: bool = False
    mechanisms: tuple[str, ...] = ()


_PASSWORDS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
# PLAINTEXT and TLS without a client certificate make the client ANONYMOUS, who is a super user here.
LISTENERS: Mapping[str, _Listener] = {
    "plaintext": _Listener("PLAINTEXT"),
    "tls": _Listener("SSL", "server"),
    "mutual_tls": _Listener("SSL", "server", client_certificate=True),
    "expired": _Listener("SSL", "expired"),
    "wrong_host": _Listener("SSL", "elsewhere"),
    "sasl": _Listener("SASL_PLAINTEXT", None, mechanisms=_PASSWORDS),
    "sasl_tls": _Listener("SASL_SSL", "server", mechanisms=_PASSWORDS),
    "iam": _Listener("SASL_SSL", "server", mechanisms=("OAUTHBEARER", "AWS_MSK_IAM")),
    "iam_brief": _Listener("SASL_SSL", "server", mechanisms=("OAUTHBEARER", "AWS_MSK_IAM")),
}


class SecureBroker:
    """A broker with the listeners of `LISTENERS`, users, and access control lists.

    `USER` may do on topics `wiki-…` just what the services need; `STRANGER` may log in and nothing else.
    Both have `PASSWORD` with PLAIN and SCRAM; `USER` has a client certificate and the access key as well.
    Prometheus reads it at `metrics`.
    """

    def __init__(self, folder: Path) -> None:
        authority = Authority(folder / "certificates")
        self.cafile = authority.cafile
        hosts = ("DNS:localhost", f"IP:{HOST}")
        authority.issue("server", hosts=hosts)
        authority.issue("expired", hosts=hosts, valid=timedelta(days=-1))
        authority.issue("elsewhere", hosts=("DNS:kafka.elsewhere.example",))
        authority.issue(USER)
        self._ports = {name: free_port() for name in LISTENERS}
        validator = _compiled(Path(__file__).with_name("iam"), folder / "classes")
        port, properties = self._ports["plaintext"], self._properties(folder)
        self.metrics = f"{HOST}:{free_port()}"
        agent = broker_agent(self.metrics, folder)
        self._broker = Broker(
            folder, port=port, extra=properties, classpath=(validator,), java_options=(agent,)
        )
        self.log = folder / "kafka.log"
        with KafkaAdminClient(bootstrap_servers=self.servers("plaintext")) as admin:
            _add_users(admin)
            _allow(admin)

    def servers(self, listener: str) -> str:
        return f"{HOST}:{self._ports[listener]}"

    def protocol(self, listener: str) -> str:
        return LISTENERS[listener].protocol

    def deny_writing(self, topic: str) -> None:
        """Take the right to write to `topic` away from `USER`."""
        pattern = ResourcePattern(ResourceType.TOPIC, topic)
        rule = ACL(f"User:{USER}", "*", ACLOperation.WRITE, ACLPermissionType.DENY, pattern)
        with KafkaAdminClient(bootstrap_servers=self.servers("plaintext")) as admin:
            result = admin.create_acls([rule])
        assert not result["failed"], result["failed"]

    def close(self) -> None:
        self._broker.close()

    def _properties(self, folder: Path) -> dict[str, str | int | Path]:
        certificates = folder / "certificates"
        addresses = ",".join(f"{name.upper()}://{HOST}:{port}" for name, port in self._ports.items())
        values: dict[str, str | int | Path] = {
            "listeners": addresses,
            "advertised.listeners": addresses,
            "listener.security.protocol.map": ",".join(
                f"{name.upper()}:{listener.protocol}" for name, listener in LISTENERS.items()
            ),
            "inter.broker.listener.name": "PLAINTEXT",
            "authorizer.class.name": "kafka.security.authorizer.AclAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": "User:ANONYMOUS",
            "ssl.principal.mapping.rules": "RULE:^CN=(.*)$/$1/,DEFAULT",
            "ssl.keystore.type": "PEM",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": certificates / "ca.pem",
            "connection.failed.authentication.delay.ms": 50,
        }
        for name, listener in LISTENERS.items():
            prefix = f"listener.name.{name}"
            if listener.certificate:
                values[f"{prefix}.ssl.keystore.location"] = certificates / f"{listener.certificate}.both.pem"
            if listener.client_certificate:
                values[f"{prefix}.ssl.client.auth"] = "required"
            if listener.mechanisms:
                values[f"{prefix}.sasl.enabled.mechanisms"] = ",".join(listener.mechanisms)
            for mechanism in listener.mechanisms:
                login = f"{prefix}.{mechanism.lower()}"
                if mechanism in _IAM:
                    values |= _iam_login(login, mechanism, SESSION_SECONDS[name])
                else:
                    values |= _password_login(login, mechanism)
        return values


# Login module and callback handler of the broker: MSK offers its IAM under both names.
_IAM = {
    "OAUTHBEARER": (
        "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule",
        "IamTokenValidator",
    ),
    "AWS_MSK_IAM": ("IamMechanism", "IamMechanism$Options"),
}


def _password_login(prefix: str, mechanism: str) -> dict[str, str | int | Path]:
    modules = "org.apache.kafka.common.security"
    if mechanism == "PLAIN":
        quoted = PASSWORD.replace("\\", r"\\").replace('"', r"\"")
        users = " ".join(f'user_{user}="{quoted}"' for user in (USER, STRANGER))
        line = f"{modules}.plain.PlainLoginModule required {users};"
        return {f"{prefix}.sasl.jaas.config": line}
    return {f"{prefix}.sasl.jaas.config": f"{modules}.scram.ScramLoginModule required;"}


def _iam_login(prefix: str, mechanism: str, session_seconds: int) -> dict[str, str | int | Path]:
    module, handler = _IAM[mechanism]
    options = (
        f'accessKey="{ACCESS_KEY}" secretKey="{SECRET_KEY}" region="{REGION}" '
        f'lifetimeSeconds="{session_seconds}" unsecuredLoginStringClaim_sub="broker"'
    )
    return {
        f"{prefix}.sasl.jaas.config": f"{module} required {options};",
        f"{prefix}.sasl.server.callback.handler.class": handler,
        f"{prefix}.connections.max.reauth.ms": session_seconds * 1000,
    }


def _compiled(sources: Path, classes: Path) -> Path:
    if shutil.which("javac") is None:
        raise AssertionError(f"a JDK is needed, not just a Java runtime: javac compiles {sources}")
    files = map(str, sorted(sources.glob("*.java")))
    command = ("javac", "-cp", f"{LIBS}/*", "-d", str(classes), *files)
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return classes


def _add_users(admin: KafkaAdminClient) -> None:
    credentials = [
        UserScramCredentialUpsertion(user=user, mechanism=mechanism, password=PASSWORD)
        for user in (USER, STRANGER)
        for mechanism in SCRAM_MECHANISMS
    ]
    for user, error in admin.alter_user_scram_credentials(credentials).items():
        assert error is None, f"{user}: {error}"


def _allow(admin: KafkaAdminClient) -> None:
    topics = ResourcePattern(ResourceType.TOPIC, "wiki-", ACLResourcePatternType.PREFIXED)
    operations = ("CREATE", "DESCRIBE", "DESCRIBE_CONFIGS", "ALTER", "ALTER_CONFIGS", "READ", "WRITE")
    rights: Iterable[ACL] = [
        ACL(f"User:{principal}", "*", ACLOperation[operation], ACLPermissionType.ALLOW, topics)
        for principal in (USER, ACCESS_KEY)
        for operation in operations
    ]
    result = admin.create_acls(list(rights))
    assert not result["failed"], result["failed"]
