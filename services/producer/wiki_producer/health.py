"""Asks the running producer how it is: `python -m wiki_producer.health` prints one line, exit 0 or 1."""

import ipaddress
import sys
from http.client import HTTPConnection, HTTPException

from wiki_producer.settings import WrongSettings, read_settings

_TIMEOUT_SECONDS = 5


def ask(address: str, port: int) -> tuple[bool, str]:
    """Whether the process on `address`:`port` is well, and what it says."""
    connection = HTTPConnection(_reachable(address), port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/healthz")
        response = connection.getresponse()
        return response.status == 200, response.read(2000).decode("utf-8", "replace")
    except (OSError, HTTPException) as error:
        return False, f"no answer on port {port}: {error}"
    finally:
        connection.close()


def _reachable(address: str) -> str:
    """A process that listens on every address is asked over loopback."""
    try:
        return "127.0.0.1" if ipaddress.ip_address(address).is_unspecified else address
    except ValueError:
        return address


def main() -> int:
    try:
        settings = read_settings()
    except WrongSettings as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    well, text = ask(settings.bind_address, settings.metrics_port)
    print(" ".join(text.split()))  # noqa: T201
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
