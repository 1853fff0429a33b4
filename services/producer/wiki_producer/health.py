"""`python -m wiki_producer.health`: asks the running producer how it is; one line, exit 0 if ok, 1 if not."""

import sys

from wiki_common.health.probe import probe
from wiki_common.settings import read_settings_or_exit
from wiki_producer.settings import Settings


def main() -> int:
    settings = read_settings_or_exit(Settings)
    return probe(settings.bind_address, settings.metrics_port)


if __name__ == "__main__":
    sys.exit(main())
