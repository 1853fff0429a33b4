"""`python -m stream_simulator.health`: prints in one line how the running simulator is, exit 0 or 1."""

import sys
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import urlopen

from stream_simulator.settings import InvalidSettings, read_settings

_ANY = ("0.0.0.0", "::", "")  # noqa: S104 - addresses that stand for all of this machine's


def main(arguments: list[str]) -> int:
    """Ask the simulator that these settings describe."""
    try:
        settings = read_settings(arguments)
    except InvalidSettings as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command's output
        return 2
    host = "127.0.0.1" if settings.host in _ANY else settings.host
    try:
        with urlopen(f"http://{host}:{settings.port}/healthz", timeout=5) as answer:
            reason, code = answer.read().decode().strip(), 0
    except HTTPError as error:
        reason, code = f"answered {error.code}", 1
    except (OSError, HTTPException) as error:
        reason, code = f"no answer on port {settings.port}: {getattr(error, 'reason', error)}", 1
    print(reason)  # noqa: T201 - a command's output
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
