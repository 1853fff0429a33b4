"""How a service proves to a Kafka broker who it is: the settings, and which of them go together."""

import itertools
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, model_validator

from wiki_common.settings import ANY_CASE, ServiceSettings, is_utf8, secret_in, text_in

_SASL_PROTOCOLS = "SASL_SSL or SASL_PLAINTEXT"
_TLS_PROTOCOLS = "SSL or SASL_SSL"
_LABEL = "[A-Za-z0-9_-]{1,63}"
_SERVER = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9a-fA-F:]+\]):([0-9]{{1,5}})")
# Java reads an unencrypted key in this form only; Python would take others too.
_REGION = "^[a-z0-9-]{1,63}$"
_KEY = re.compile(r"-----BEGIN PRIVATE KEY-----")

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "AWS_MSK_IAM"]


def checked_servers(servers: tuple[str, ...]) -> tuple[str, ...]:
    """`servers` if each is a host or [IPv6] address with a port; ValueError if not, or if empty."""
    matches = [_SERVER.fullmatch(server) for server in servers]
    if not matches or any(match is None or not 0 < int(match[1]) < 65_536 for match in matches):
        raise ValueError("expected host:port, several separated by commas")
    return servers


def host_and_port(server: str) -> tuple[str, int]:
    """`host:port` or `[IPv6]:port` in its parts."""
    host, _, port = server.rpartition(":")
    return host.strip("[]"), int(port)


class KafkaSettings(ServiceSettings):
    """The part of a service's settings that concerns the login; a contradiction names the settings in it.

    KAFKA_SASL_PASSWORD_FILE is read here: then `kafka_sasl_password` is the password wherever it came from.
    """

    kafka_security_protocol: Annotated[Protocol, ANY_CASE] = "PLAINTEXT"
    kafka_sasl_mechanism: Annotated[Mechanism | None, ANY_CASE] = None
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_sasl_password_file: Path | None = None
    kafka_ssl_cafile: Path | None = None
    kafka_ssl_certfile: Path | None = None
    kafka_ssl_keyfile: Path | None = None
    aws_region: Annotated[str, Field(pattern=_REGION)] | None = None

    @property
    def uses_sasl(self) -> bool:
        return self.kafka_security_protocol.startswith("SASL_")

    @property
    def uses_tls(self) -> bool:
        return self.kafka_security_protocol.endswith("SSL")

    @model_validator(mode="before")
    @classmethod
    def _with_password_from_file(cls, values: dict[str, Any]) -> dict[str, Any]:
        file = values.get("kafka_sasl_password_file")
        if not file or not is_utf8(str(file)):
            return values
        if values.get("kafka_sasl_password"):
            raise ValueError(
                f"KAFKA_SASL_PASSWORD_FILE={file}: KAFKA_SASL_PASSWORD is set as well; set one of them"
            )
        return {**values, "kafka_sasl_password": secret_in("KAFKA_SASL_PASSWORD_FILE", Path(file))}

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problem = next(itertools.chain(self._sasl_problems(), self._tls_problems()), None)
        if problem is not None:
            raise ValueError(problem)
        self._read_certificates()
        return self

    def _sasl_problems(self) -> Iterator[str]:
        protocol, mechanism = self.kafka_security_protocol, self.kafka_sasl_mechanism
        login = {
            "KAFKA_SASL_USERNAME": self.kafka_sasl_username,
            "KAFKA_SASL_PASSWORD": None if self.kafka_sasl_password is None else "…",
        }
        given = {name: value for name, value in login.items() if value is not None}
        if not self.uses_sasl:
            chosen = {"KAFKA_SASL_MECHANISM": mechanism} if mechanism is not None else {}
            for name, value in (chosen | given).items():
                yield f"{name}={value}: needs KAFKA_SECURITY_PROTOCOL {_SASL_PROTOCOLS}, not {protocol}"
        elif mechanism is None:
            choice = "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or AWS_MSK_IAM"
            yield f"KAFKA_SASL_MECHANISM=: KAFKA_SECURITY_PROTOCOL={protocol} needs {choice}"
        elif mechanism == "AWS_MSK_IAM":
            yield from self._iam_problems(given)
        else:
            for name in sorted(login.keys() - given.keys()):
                yield f"{name}=: KAFKA_SASL_MECHANISM={mechanism} needs it"

    def _iam_problems(self, login: dict[str, str]) -> Iterator[str]:
        if self.kafka_security_protocol != "SASL_SSL":
            yield f"KAFKA_SECURITY_PROTOCOL={self.kafka_security_protocol}: AWS_MSK_IAM needs SASL_SSL"
        if self.aws_region is None:
            yield "AWS_REGION=: AWS_MSK_IAM needs the region of the cluster"
        for name, value in login.items():
            yield f"{name}={value}: AWS_MSK_IAM takes AWS credentials, no user name and password"

    def _tls_problems(self) -> Iterator[str]:
        files = {
            "KAFKA_SSL_CAFILE": self.kafka_ssl_cafile,
            "KAFKA_SSL_CERTFILE": self.kafka_ssl_certfile,
            "KAFKA_SSL_KEYFILE": self.kafka_ssl_keyfile,
        }
        for name, file in files.items():
            if file is not None and not self.uses_tls:
                protocol = self.kafka_security_protocol
                yield f"{name}={file}: needs KAFKA_SECURITY_PROTOCOL {_TLS_PROTOCOLS}, not {protocol}"
        if self.kafka_ssl_certfile is not None and self.kafka_ssl_keyfile is None:
            yield "KAFKA_SSL_KEYFILE=: KAFKA_SSL_CERTFILE needs its private key"
        if self.kafka_ssl_keyfile is not None and self.kafka_ssl_certfile is None:
            yield "KAFKA_SSL_CERTFILE=: KAFKA_SSL_KEYFILE needs its certificate"

    def _read_certificates(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.kafka_ssl_cafile is not None:
            certificates = text_in("KAFKA_SSL_CAFILE", self.kafka_ssl_cafile)
            try:
                context.load_verify_locations(cadata=certificates)
            except (ssl.SSLError, ValueError):
                raise ValueError(
                    f"KAFKA_SSL_CAFILE={self.kafka_ssl_cafile}: not a certificate in PEM form"
                ) from None
        if self.kafka_ssl_certfile is not None and self.kafka_ssl_keyfile is not None:
            text_in("KAFKA_SSL_CERTFILE", self.kafka_ssl_certfile)
            if not _KEY.search(text_in("KAFKA_SSL_KEYFILE", self.kafka_ssl_keyfile)):
                raise ValueError(
                    f"KAFKA_SSL_KEYFILE={self.kafka_ssl_keyfile}: not an unencrypted PKCS#8 key in PEM form"
                    " (openssl pkcs8 -topk8 -nocrypt makes one)"
                )
            try:
                context.load_cert_chain(self.kafka_ssl_certfile, self.kafka_ssl_keyfile)
            except ssl.SSLError:
                raise ValueError(
                    f"KAFKA_SSL_CERTFILE={self.kafka_ssl_certfile}: not a certificate in PEM form that fits"
                    f" KAFKA_SSL_KEYFILE={self.kafka_ssl_keyfile}"
                ) from None
