"""python -m wiki_web: settings → checks → server."""

import sys

from wiki_web.logs import configure_logging
from wiki_web.server import PortInUse, Server, check_port
from wiki_web.settings import SettingsError, read_settings


def main() -> int:
    try:
        settings = read_settings()
    except SettingsError as error:
        print(f"web: {error}", file=sys.stderr)  # noqa: T201
        return 2
    configure_logging(settings.log_level, settings.log_format)
    try:
        check_port(settings)
    except PortInUse as error:
        print(f"web: {error}", file=sys.stderr)  # noqa: T201
        return 1
    Server(settings).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
