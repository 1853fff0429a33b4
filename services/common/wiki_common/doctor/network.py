"""Whether a broker's host has a name and its port answers."""

import socket
from collections.abc import Generator
from contextlib import closing
from typing import Final

from wiki_common.doctor.finding import Finding, ok, problem
from wiki_common.kafka.security import host_and_port

TIMEOUT_SECONDS: Final = 10.0


def check_port(server: str) -> Generator[Finding, None, bool]:
    """Two findings at most on a `host:port` of KAFKA_BOOTSTRAP_SERVERS; returns whether it can be reached."""
    host, port = host_and_port(server)
    name, tcp = f"{server} name", f"{server} TCP"
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        yield problem(name, f"{_reason(error)}: check the host in KAFKA_BOOTSTRAP_SERVERS and the DNS")
        return False
    yield ok(name, ", ".join(sorted({str(each[4][0]) for each in found})))
    try:
        with closing(socket.create_connection((host, port), timeout=TIMEOUT_SECONDS)):
            yield ok(tcp, "the port answers")
            return True
    except OSError as error:
        hint = "check the port in KAFKA_BOOTSTRAP_SERVERS, the security group and the network"
        yield problem(tcp, f"{_reason(error)}: {hint}")
        return False


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
