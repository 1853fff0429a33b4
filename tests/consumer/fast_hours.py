"""The consumer, but hours are closed as fast as the topic's events pass through them.

The query lets a day pass. The maintenance takes the newest row that is committed for the time it is now, and
half an hour for MAX_EVENT_AGE: that is right for a topic whose events are at most half an hour out of order.
"""

from datetime import UTC, datetime, timedelta

from wiki_common.process_end import end_at_once
from wiki_common.settings import read_settings_or_exit
from wiki_common.store.place import Place
from wiki_common.volume import RawFile
from wiki_consumer import logs, service
from wiki_consumer.maintenance.maintenance import Maintenance
from wiki_consumer.settings import Settings
from wiki_consumer.shutdown import Shutdown
from wiki_consumer.volume.raw_files import list_raw_files, read_footer

OUT_OF_ORDER = timedelta(minutes=30)
INTERVAL = timedelta(seconds=0.5)


class NewestRow:
    """A clock: the newest event_time in `changes`."""

    def __init__(self, changes: Place) -> None:
        self._changes = changes
        self._looked_at: set[RawFile] = set()
        self._newest = datetime.fromtimestamp(0, UTC)

    def __call__(self) -> datetime:
        files = set(list_raw_files(self._changes))
        for raw in files - self._looked_at:
            times = read_footer(self._changes / raw.name).times
            if times is not None:
                self._newest = max(self._newest, times.newest)
        self._looked_at |= files
        return self._newest


def main() -> int:
    settings = read_settings_or_exit(Settings)
    logs.configure(settings)
    maintenance = Maintenance(
        settings.data_dir,
        max_event_age=OUT_OF_ORDER,
        history_retention=settings.history_retention,
        clock=NewestRow(settings.data_dir / "changes"),
    )
    return service.run(settings, maintenance, shutdown=Shutdown(), maintenance_interval=INTERVAL)


if __name__ == "__main__":
    end_at_once(main())
