"""Run the consumer: python -m wiki_consumer"""

from wiki_common.misspelt import warn_of_misspelt
from wiki_common.process_end import end_at_once
from wiki_common.settings import read_settings_or_exit
from wiki_consumer import logs, service
from wiki_consumer.maintenance.maintenance import Maintenance
from wiki_consumer.settings import Settings
from wiki_consumer.shutdown import Shutdown


def main() -> int:
    settings = read_settings_or_exit(Settings)
    logs.configure(settings)
    warn_of_misspelt(Settings)
    maintenance = Maintenance(
        settings.data_dir, max_event_age=settings.max_event_age, history_retention=settings.history_retention
    )
    return service.run(settings, maintenance, shutdown=Shutdown())


if __name__ == "__main__":
    end_at_once(main())
