"""The consumer, with a maintenance that meets what nobody expected."""

import sys

from wiki_common.settings import read_settings_or_exit
from wiki_consumer import logs, service
from wiki_consumer.maintenance.maintenance import Maintenance
from wiki_consumer.maintenance.report import Report
from wiki_consumer.settings import Settings
from wiki_consumer.shutdown import Shutdown


class FailingMaintenance(Maintenance):
    def run(self, *, consumer_runs: bool = True) -> Report:
        raise KeyError("unexpected")


def main() -> int:
    settings = read_settings_or_exit(Settings)
    logs.configure(settings)
    maintenance = FailingMaintenance(
        settings.data_dir, max_event_age=settings.max_event_age, history_retention=settings.history_retention
    )
    return service.run(settings, maintenance, shutdown=Shutdown())


if __name__ == "__main__":
    sys.exit(main())
