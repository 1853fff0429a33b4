"""python -m wiki_web: settings → checks → server."""

import logging
import sys

from wiki_common.health.server import PortInUse
from wiki_common.logs import configure_logs
from wiki_common.misspelt import warn_of_misspelt
from wiki_common.settings import read_settings_or_exit
from wiki_web.http.server import Server, check_port
from wiki_web.settings import Settings


def main() -> int:
    settings = read_settings_or_exit(Settings)
    configure_logs(settings.log_level, settings.log_format, libraries={"py4j": logging.WARNING})
    warn_of_misspelt(Settings)
    try:
        check_port(settings)
    except PortInUse as error:
        print(error, file=sys.stderr)  # noqa: T201 - for whoever started it by hand
        return 1
    Server(settings).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
