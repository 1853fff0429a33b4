"""One broker step by step: its name, port, certificate, and our login."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from wiki_common.doctor.finding import Finding, ok, problem
from wiki_common.doctor.network import check_port
from wiki_common.kafka.errors import BrokerRefused
from wiki_producer.kafka.probe import TopicAccess, connect, log_in, secured
from wiki_producer.settings import Settings


def check_broker(server: str, settings: Settings, topics: list[TopicAccess]) -> Iterator[Finding]:
    """Stops at the first step that fails. What the broker says of our topics is put into `topics`."""
    if not (yield from check_port(server)):
        return
    step = f"{server} TLS"
    try:
        with (
            closing(connect(server)) as connection,
            closing(secured(connection, server, settings)) as broker,
        ):
            yield ok(step, _certificate(broker))
            step = f"{server} login"
            topics[:] = log_in(broker, server, settings)
            yield ok(step, _login(settings))
    except BrokerRefused as refusal:
        yield problem(step, str(refusal))
    except OSError as error:
        reason = error.strerror or error
        yield problem(step, f"{reason}: see the broker's log, or what lies between us and it")


def _certificate(connection: socket.socket) -> str:
    if not isinstance(connection, ssl.SSLSocket):
        return "not used (KAFKA_SECURITY_PROTOCOL)"
    certificate: dict[str, Any] = connection.getpeercert() or {}
    subject = ", ".join(f"{key}={value}" for part in certificate.get("subject", ()) for key, value in part)
    return f"{connection.version()}, certificate of {subject}, valid until {certificate.get('notAfter')}"


def _login(settings: Settings) -> str:
    if settings.kafka_sasl_mechanism is None:
        return "none needed" if settings.kafka_ssl_certfile is None else "by certificate"
    who = "AWS credentials" if settings.kafka_sasl_username is None else settings.kafka_sasl_username
    return f"{settings.kafka_sasl_mechanism} with {who}"
