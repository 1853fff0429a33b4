"""Ask the running consumer how it is, print its answer and exit 0 or 1: python -m wiki_consumer.health"""

import sys

from wiki_common.health.probe import probe
from wiki_common.settings import read_settings_or_exit
from wiki_consumer.settings import Settings


def main() -> int:
    settings = read_settings_or_exit(Settings)
    return probe(settings.bind_address, settings.metrics_port)


if __name__ == "__main__":
    sys.exit(main())
