"""python -m wiki_web.health: asks the running server over loopback, prints its reason, exits 0 or 1."""

import sys
from http.client import HTTPConnection, HTTPException

from wiki_web.settings import SettingsError, read_settings

_TIMEOUT = 5.0


def main() -> int:
    try:
        settings = read_settings()
    except SettingsError as error:
        print(f"web: {error}", file=sys.stderr)  # noqa: T201
        return 1
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - listened on, not connected to
    host = anywhere.get(settings.bind_address, settings.bind_address)
    connection = HTTPConnection(host, settings.web_port, timeout=_TIMEOUT)
    try:
        connection.request("GET", "/healthz")
        response = connection.getresponse()
        print(response.read(500).decode(errors="replace").strip())  # noqa: T201
        return 0 if response.status == 200 else 1
    except (OSError, HTTPException) as error:
        print(f"no answer from {host}:{settings.web_port}: {error}")  # noqa: T201
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
