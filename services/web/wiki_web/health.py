"""python -m wiki_web.health: asks the running server how it is, prints the answer, exits 0, 1 or 2."""

import sys

from wiki_common.health.probe import probe
from wiki_common.settings import read_settings_or_exit
from wiki_web.settings import Settings


def main() -> int:
    """0 if the server is well, 1 if not; wrong settings exit with 2."""
    settings = read_settings_or_exit(Settings)
    return probe(settings.bind_address, settings.web_port)


if __name__ == "__main__":
    sys.exit(main())
