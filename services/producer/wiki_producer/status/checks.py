"""Checks step by step what the producer needs, and what to do where a step fails."""

import asyncio
import socket
import ssl
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from wiki_common.kafka.errors import BrokerRefused, no_right
from wiki_producer.kafka.probe import TopicAccess, connect, host_and_port, log_in, secured
from wiki_producer.settings import Settings
from wiki_producer.stream.connection import StreamRefused, open_stream, stream_session
from wiki_producer.stream.position import Live
from wiki_producer.stream.proxy import proxy_for_stream

NEEDED: Final = ("DESCRIBE", "WRITE", "READ")
STREAM_TIMEOUT_SECONDS: Final = 20


@dataclass(frozen=True)
class Finding:
    """One check: what was looked at, whether it is ok, and what was found or should be done."""

    what: str
    ok: bool
    detail: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.ok else 'FAIL'} {self.what}: {self.detail}"


def check_all(settings: Settings) -> Iterator[Finding]:
    """All checks in order, without those that depend on a failed one."""
    yield Finding("settings", True, "they fit together")
    topics: tuple[TopicAccess, ...] = ()
    for server in settings.kafka_bootstrap_servers:
        topics = (yield from _check_broker(server, settings)) or topics
    for topic in topics:
        yield topic_finding(topic, settings)
    yield asyncio.run(_check_stream(settings))


def _check_broker(server: str, settings: Settings) -> Generator[Finding, None, tuple[TopicAccess, ...]]:
    """Name, port, certificate and login of one broker; returns what it says of our topics."""
    host, port = host_and_port(server)
    what = f"{server} name"
    try:
        addresses = sorted(
            {str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
        )
        yield Finding(what, True, ", ".join(addresses))
        what = f"{server} TCP"
        with closing(connect(server)) as connection:
            yield Finding(what, True, "the port answers")
            what = f"{server} TLS"
            with closing(secured(connection, server, settings)) as broker:
                yield Finding(what, True, _certificate(broker))
                what = f"{server} login"
                topics = log_in(broker, server, settings)
                yield Finding(what, True, _login(settings))
                return topics
    except socket.gaierror as error:
        yield Finding(what, False, f"{error.strerror}: check the host in KAFKA_BOOTSTRAP_SERVERS and the DNS")
    except BrokerRefused as refusal:
        yield Finding(what, False, str(refusal))
    except OSError as error:
        hint = "check the port in KAFKA_BOOTSTRAP_SERVERS, the security group and the network"
        yield Finding(what, False, f"{error.strerror or error}: {hint}")
    return ()


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


def topic_finding(topic: TopicAccess, settings: Settings) -> Finding:
    """Whether we may describe, write and read the topic, and whether it is there."""
    what = f"topic {topic.name}"
    if not topic.visible:
        return Finding(what, False, str(no_right(topic.name, settings)))
    missing = [name for name in NEEDED if name not in topic.operations]
    if topic.operations and missing:
        return Finding(what, False, f"no right to {', '.join(missing)}: grant it")
    if not topic.exists:
        return Finding(what, False, "it does not exist: run topic-init, which makes it")
    return Finding(what, True, "may describe, write and read" if topic.operations else "may describe")


async def _check_stream(settings: Settings) -> Finding:
    what = f"stream {settings.wiki_stream_url}"
    try:
        async with (
            asyncio.timeout(STREAM_TIMEOUT_SECONDS),
            stream_session(settings.wiki_user_agent, proxy_for_stream(settings)) as session,
            open_stream(session, settings.wiki_stream_url, Live(), settings.wiki_stream_idle_timeout),
        ):
            return Finding(what, True, "answers our User-Agent with events")
    except StreamRefused as refusal:
        hint = (
            "set WIKI_USER_AGENT to your project and a contact" if refusal.status == 403 else "check the URL"
        )
        return Finding(what, False, f"{refusal}: {hint}")
    except TimeoutError:
        return Finding(what, False, f"no answer within {STREAM_TIMEOUT_SECONDS} s: check the way out to it")
    except aiohttp.ClientError as error:
        return Finding(what, False, f"{error}: check WIKI_STREAM_URL and the way out to it")
