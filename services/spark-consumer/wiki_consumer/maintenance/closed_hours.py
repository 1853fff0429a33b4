"""Which hours can be closed, and the raw files that each is made of."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from wiki_common.coverage import Gap
from wiki_common.store.place import Place
from wiki_common.volume import HOUR, RawFile, hour_of
from wiki_consumer.volume.raw_files import EventTimes, Footer, UnreadableFile, read_footer

# A row may be dated later than its file: an author's clock may be ahead, and the writer's may be set back.
CLOCK_TOLERANCE: Final = timedelta(minutes=10)
# How long after a file was written its hours wait for a person who makes it readable again.
PATIENCE: Final = timedelta(hours=24)

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass
class Survey:
    """When the events of each readable raw file happened, its gaps, and which files could not be read.

    Hours wait for what is `awaited`, and are closed without what is `lost`.
    """

    times: dict[RawFile, EventTimes] = field(default_factory=dict)
    gaps: dict[RawFile, tuple[Gap, ...]] = field(default_factory=dict)
    awaited: list[UnreadableFile] = field(default_factory=list)
    lost: list[UnreadableFile] = field(default_factory=list)
    readable_until: datetime = _NEVER


class RawFileFooters:
    """Reads each raw file's footer once in its life."""

    def __init__(self, changes: Place) -> None:
        self._changes = changes
        self._known: dict[RawFile, Footer] = {}

    def survey(self, files: Iterable[RawFile], history_end: datetime | None, *, now: datetime) -> Survey:
        """Look at `files`.

        One that can't be read leaves unknown which hours it has rows for, so hours can be closed only until
        its date begins; unless it was written before the history's end, when its rows are there, or longer
        than PATIENCE ago.
        """
        survey = Survey()
        known: dict[RawFile, Footer] = {}
        for raw in files:
            path = self._changes / raw.name
            try:
                known[raw] = self._known[raw] if raw in self._known else read_footer(path)
            except UnreadableFile as error:
                modified = modified_at(path)
                if modified is None or (history_end and modified + CLOCK_TOLERANCE < history_end):
                    continue
                if is_lost(modified, now):
                    survey.lost.append(error)
                    continue
                survey.awaited.append(error)
                survey.readable_until = min(survey.readable_until, _start_of_date(raw))
        self._known = known
        survey.times = {raw: footer.times for raw, footer in known.items() if footer.times is not None}
        survey.gaps = {raw: footer.coverage.gaps for raw, footer in known.items() if footer.coverage.gaps}
        return survey


def modified_at(path: Place) -> datetime | None:
    """When the file was written; None if it is gone."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def is_lost(modified_at: datetime, now: datetime) -> bool:
    """Whether an hour no longer waits for an unreadable file that was written at `modified_at`."""
    return now - modified_at >= PATIENCE


def _start_of_date(raw: RawFile) -> datetime:
    return datetime.strptime(f"{raw.date} +0000", "date=%Y-%m-%d %z").astimezone(UTC)


def gaps_until(hour: datetime, gaps: Iterable[Gap]) -> list[Gap]:
    """Those that end in the hour that begins at `hour`, or before it."""
    return [gap for gap in gaps if gap.end < hour + HOUR]


def files_by_hour(
    times: dict[RawFile, EventTimes], *, since: datetime | None, until: datetime
) -> dict[datetime, list[RawFile]]:
    """For each hour from `since` that ends by `until`, in order: the files that may have rows of it."""
    hours: dict[datetime, list[RawFile]] = defaultdict(list)
    for raw, span in times.items():
        hour = hour_of(span.oldest) if since is None else max(hour_of(span.oldest), since)
        while hour <= span.newest and hour + HOUR <= until:
            hours[hour].append(raw)
            hour += HOUR
    return dict(sorted(hours.items()))
