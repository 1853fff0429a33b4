"""The consumer, with a maintenance that meets what nobody expected."""

import sys

from wiki_consumer import __main__ as consumer
from wiki_consumer.maintenance import Maintenance, Report


class FailingMaintenance(Maintenance):
    def run(self, *, consumer_runs: bool = True) -> Report:
        raise KeyError("unexpected")


if __name__ == "__main__":
    vars(consumer)["Maintenance"] = FailingMaintenance
    sys.exit(consumer.main())
