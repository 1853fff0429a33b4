"""The consumer, but hours are closed as fast as the topic's events pass through them.

The query lets a day pass. The maintenance takes the newest row that is committed for the time it is now, and
half an hour for MAX_EVENT_AGE: that is right for a topic whose events are at most half an hour out of order.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from wiki_consumer import logs, settings
from wiki_consumer.__main__ import Shutdown, run
from wiki_consumer.maintenance import Maintenance
from wiki_consumer.raw_files import read_event_times
from wiki_consumer.sink_log import read_sink_log

OUT_OF_ORDER = timedelta(minutes=30)
INTERVAL = timedelta(seconds=0.5)


class NewestRow:
    """A clock: the newest event_time in `changes`, as far as the sink's log names it."""

    def __init__(self, changes: Path) -> None:
        self._changes = changes
        self._looked_at: set[str] = set()
        self._newest = datetime.fromtimestamp(0, UTC)

    def __call__(self) -> datetime:
        names = read_sink_log(self._changes).files.keys()
        for name in names - self._looked_at:
            times = read_event_times(self._changes / name)
            if times is not None:
                self._newest = max(self._newest, times.newest)
        self._looked_at |= names
        return self._newest


def main() -> int:
    config = settings.read()
    logs.configure(config.log_level, config.log_format)
    maintenance = Maintenance(
        config.data_dir,
        max_event_age=OUT_OF_ORDER,
        history_retention=config.history_retention,
        clock=NewestRow(config.data_dir / "changes"),
    )
    run(config, Shutdown(), maintenance, maintenance_interval=INTERVAL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
