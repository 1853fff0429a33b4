"""What to tell when a broker refuses us: one line that names the setting to look at."""

from typing import Protocol

from pydantic import SecretStr


class Login(Protocol):
    """The settings that the lines name; never the password."""

    @property
    def kafka_security_protocol(self) -> str: ...
    @property
    def kafka_sasl_mechanism(self) -> str | None: ...
    @property
    def kafka_sasl_username(self) -> str | None: ...
    @property
    def kafka_sasl_password(self) -> SecretStr | None: ...
    @property
    def aws_region(self) -> str | None: ...


class BrokerRefused(Exception):
    """A broker refuses us as we are configured, and asking again does not help. One line, without secrets."""


def login_refused(settings: Login, answer: str) -> BrokerRefused:
    mechanism = settings.kafka_sasl_mechanism
    if mechanism == "AWS_MSK_IAM":
        name, check = (
            f"AWS_REGION={settings.aws_region}",
            "AWS credentials, region and the cluster's IAM policy",
        )
    else:
        name, check = f"KAFKA_SASL_USERNAME={settings.kafka_sasl_username}", "user name and password"
    return BrokerRefused(f"{name}: the broker refuses the login with {mechanism} ({answer}): check {check}")


def no_aws_credentials(reason: str = "") -> BrokerRefused:
    return BrokerRefused(
        f"KAFKA_SASL_MECHANISM=AWS_MSK_IAM: no AWS credentials found{reason and f' ({reason})'}: set"
        " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, mount ~/.aws, or give the machine a role"
    )


def mechanism_not_offered(settings: Login) -> BrokerRefused:
    return BrokerRefused(
        f"KAFKA_SASL_MECHANISM={settings.kafka_sasl_mechanism}: the broker does not offer it on this port:"
        " check the mechanism and the port in KAFKA_BOOTSTRAP_SERVERS"
    )


def protocol_not_spoken(settings: Login) -> BrokerRefused:
    return BrokerRefused(
        f"KAFKA_SECURITY_PROTOCOL={settings.kafka_security_protocol}: the broker does not speak it on this"
        " port: check the protocol and the port in KAFKA_BOOTSTRAP_SERVERS"
    )


def certificate_expired(servers: str) -> BrokerRefused:
    return BrokerRefused(f"KAFKA_BOOTSTRAP_SERVERS={servers}: the broker's certificate has expired: renew it")


def certificate_for_other_host(servers: str) -> BrokerRefused:
    return BrokerRefused(
        f"KAFKA_BOOTSTRAP_SERVERS={servers}: the broker's certificate is for another host:"
        " use the name in the certificate"
    )


def certificate_not_trusted(servers: str) -> BrokerRefused:
    return BrokerRefused(
        f"KAFKA_BOOTSTRAP_SERVERS={servers}: the broker's certificate is not from a trusted authority:"
        " set KAFKA_SSL_CAFILE to the authority's certificate"
    )


def client_certificate_wanted(servers: str) -> BrokerRefused:
    return BrokerRefused(
        f"KAFKA_BOOTSTRAP_SERVERS={servers}: the broker refuses our certificate or wants one:"
        " set KAFKA_SSL_CERTFILE and KAFKA_SSL_KEYFILE"
    )


def tls_failed(servers: str, reason: str) -> BrokerRefused:
    return BrokerRefused(f"KAFKA_BOOTSTRAP_SERVERS={servers}: no TLS connection: {reason}")


def no_right(topic: str, settings: Login) -> BrokerRefused:
    who = settings.kafka_sasl_username or (
        "the AWS identity" if settings.kafka_sasl_mechanism == "AWS_MSK_IAM" else "the client"
    )
    return BrokerRefused(f"KAFKA_TOPIC={topic}: {who} has no right to it: grant what docs/msk.md lists")
