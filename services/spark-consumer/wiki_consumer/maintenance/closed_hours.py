"""Which hours can be closed, and the raw files that each is made of."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from wiki_common.volume import HOUR, hour_of
from wiki_consumer.volume.log_retention import CLOCK_TOLERANCE
from wiki_consumer.volume.raw_files import EventTimes, UnreadableFile, read_event_times
from wiki_consumer.volume.sink_log import SinkLog

# How long after a committed file was written its hours wait for a person who makes it readable again.
PATIENCE: Final = timedelta(hours=24)

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass
class Survey:
    """When the events of each readable raw file happened, and which committed files could not be read.

    Hours wait for what is `awaited`, and are closed without what is `lost`.
    """

    times: dict[str, EventTimes] = field(default_factory=dict)
    awaited: list[UnreadableFile] = field(default_factory=list)
    lost: list[UnreadableFile] = field(default_factory=list)
    readable_until: datetime = _NEVER


class RawFileTimes:
    """Reads each raw file's footer once in its life."""

    def __init__(self, changes: Path) -> None:
        self._changes = changes
        self._known: dict[str, EventTimes | None] = {}

    def survey(
        self, names: Iterable[str], log: SinkLog, history_end: datetime | None, *, now: datetime
    ) -> Survey:
        """Look at the files in `names` and in the log. An unreadable file that isn't in the log is a crash's
        leftover.

        A committed one that can't be read leaves unknown which hours it has rows for, so hours can be closed
        only until its date begins; unless it was written before the history's end, when its rows are there,
        or longer than PATIENCE ago.
        """
        survey = Survey()
        known: dict[str, EventTimes | None] = {}
        for name in {*names, *log.files}:
            try:
                known[name] = (
                    self._known[name] if name in self._known else read_event_times(self._changes / name)
                )
            except UnreadableFile as error:
                file = log.files.get(name)
                if file is None or (history_end and file.modified_at + CLOCK_TOLERANCE < history_end):
                    continue
                if is_lost(file.modified_at, now):
                    survey.lost.append(error)
                    continue
                survey.awaited.append(error)
                survey.readable_until = min(survey.readable_until, _start_of_date(name))
        self._known = known
        survey.times = {name: times for name, times in known.items() if times is not None}
        return survey


def is_lost(modified_at: datetime, now: datetime) -> bool:
    """Whether an hour no longer waits for an unreadable file that was written at `modified_at`."""
    return now - modified_at >= PATIENCE


def _start_of_date(name: str) -> datetime:
    return datetime.strptime(name.split("/")[0] + " +0000", "date=%Y-%m-%d %z").astimezone(UTC)


def files_by_hour(
    times: dict[str, EventTimes], *, since: datetime | None, until: datetime
) -> dict[datetime, list[str]]:
    """For each hour from `since` that ends by `until`, in order: the files that may have rows of it."""
    hours: dict[datetime, list[str]] = defaultdict(list)
    for name, span in sorted(times.items()):
        hour = hour_of(span.oldest) if since is None else max(hour_of(span.oldest), since)
        while hour <= span.newest and hour + HOUR <= until:
            hours[hour].append(name)
            hour += HOUR
    return dict(sorted(hours.items()))
