"""Asks a running service on this machine how it is."""

import ipaddress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Final

_TIMEOUT_SECONDS: Final = 5.0
_MOST_BYTES: Final = 100_000
NO_ANSWER: Final = "no answer"


def ask(address: str, port: int, path: str = "/healthz") -> tuple[bool, str]:
    """Whether the service that listens on `address`:`port` answers with 200, and in one line what it says.

    Without an answer that line begins with NO_ANSWER.
    """
    connection = HTTPConnection(_reachable(address), port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read(_MOST_BYTES).decode("utf-8", "replace")
        return answer.status == HTTPStatus.OK, "; ".join(text.split("\n")).strip("; ")
    except (OSError, HTTPException) as error:
        return False, f"{NO_ANSWER} on port {port}: {error}"
    finally:
        connection.close()


def probe(address: str, port: int) -> int:
    """Print what the service says of itself; the exit code 0 if it is well, 1 if not."""
    ok, text = ask(address, port)
    print(text)  # noqa: T201 - a command's output
    return 0 if ok else 1


def _reachable(address: str) -> str:
    """A service that listens on every address is asked over loopback."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if not parsed.is_unspecified:
        return address
    return "127.0.0.1" if parsed.version == 4 else "::1"
