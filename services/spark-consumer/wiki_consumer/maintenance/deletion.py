"""Deletes raw files whose rows are in the history, once no reader is about to open them."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from wiki_common.store.place import Place
from wiki_common.volume import HOUR, RawFile
from wiki_consumer.maintenance.closed_hours import Survey, modified_at
from wiki_consumer.maintenance.closing import write_hour
from wiki_consumer.maintenance.report import Report
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.gaps import without_known
from wiki_consumer.volume.history import History
from wiki_consumer.volume.raw_files import (
    OnStep,
    UnreadableFile,
    ids_by_hour,
    is_half_written,
    remove_empty_dates,
)

# A reader may be about to open a file whose hour has just been closed.
GRACE: Final = timedelta(minutes=10)
_LONG_AGO: Final = datetime.fromtimestamp(0, UTC)

_log = structlog.get_logger()


class RawFileDeleter:
    """`grace` is how long a file stays, after it was written and after its hour was closed. One without rows
    needs no hour: a wiki that is quiet for days would have a file a second.

    Nobody needs the rows of hours that ended before `oldest_kept`.
    """

    def __init__(
        self,
        volume: ConsumerVolume[Place],
        history: History,
        *,
        clock: Callable[[], datetime],
        oldest_kept: Callable[[], datetime],
        grace: timedelta,
        on_step: OnStep,
    ) -> None:
        self._volume = volume
        self._history = history
        self._clock = clock
        self._oldest_kept = oldest_kept
        self._grace = grace
        self._on_step = on_step

    def delete(self, files: list[RawFile], survey: Survey, report: Report) -> None:
        """Those of `files` that are no longer needed. The newest batch stays: readers go on from it."""
        end = self._volume.history_end()
        if end and not self._is_old(self._volume.hour_file(end - HOUR)):
            return
        known: dict[datetime, set[str | None]] = {}
        for raw in self._not_needed(files, survey, end):
            path = self._volume.changes / raw.name
            try:
                self._recover(path, known, report)
            except UnreadableFile as error:
                report.fault("delete raw files", error)
                continue
            report.raw_bytes_deleted += path.stat().st_size
            path.unlink()
            report.raw_files_deleted += 1
            self._on_step("raw file deleted")
        remove_empty_dates(self._volume.changes, end, self._on_step)

    def _not_needed(self, files: list[RawFile], survey: Survey, end: datetime | None) -> Iterator[RawFile]:
        """Those whose rows and gaps, if they have any, are in the history, which ends at `end`."""
        awaited = {error.path for error in survey.awaited}
        kept = self._history.gaps() if survey.gaps else ()
        for raw in _without_newest(files):
            path = self._volume.changes / raw.name
            times, gaps = survey.times.get(raw), survey.gaps.get(raw, ())
            has_rows = times is not None and (end is None or times.newest >= end)
            if not (has_rows or path in awaited or without_known(gaps, kept)) and self._is_old(path):
                yield raw

    def _is_old(self, path: Place) -> bool:
        return self._clock() - (modified_at(path) or _LONG_AGO) >= self._grace

    def _recover(self, path: Place, known: dict[datetime, set[str | None]], report: Report) -> None:
        """Write the rows of a file that the history lacks to it, unless their hour is past the retention."""
        hours = {} if is_half_written(path) else ids_by_hour(path)
        for hour, ids in hours.items():
            if hour + HOUR <= self._oldest_kept():
                continue
            if hour not in known:
                known[hour] = self._history.event_ids(hour)
            if missing := ids - known[hour]:
                write_hour(self._history, hour, [path], report)
                known[hour] |= ids
                report.rows_recovered += len(missing)
                _log.warning("rows recovered", file=str(path), hour=hour.isoformat(), rows=len(missing))


def _without_newest(files: list[RawFile]) -> Iterable[RawFile]:
    newest = max((raw.batch for raw in files), default=None)
    return (raw for raw in files if raw.batch != newest)
