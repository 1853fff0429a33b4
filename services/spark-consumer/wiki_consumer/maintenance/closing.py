"""Closes hours: writes the rows of each that is over to the history, the oldest hour first.

A gap goes to the hour that it ends in, or to the next one that has rows: an hour without any has no file.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import structlog

from wiki_common.coverage import Gap
from wiki_common.store.place import Place
from wiki_common.volume import HOUR, RawFile
from wiki_consumer.checkpoint.batch_clock import complete_until
from wiki_consumer.checkpoint.reset import RESET
from wiki_consumer.maintenance.closed_hours import (
    PATIENCE,
    RawFileFooters,
    Survey,
    files_by_hour,
    gaps_until,
    is_lost,
    modified_at,
)
from wiki_consumer.maintenance.report import Report
from wiki_consumer.volume import former_layout
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.gaps import without_known
from wiki_consumer.volume.history import History
from wiki_consumer.volume.raw_files import UnreadableFile

_log = structlog.get_logger()


class HourCloser:
    """Ask `complete_until` first, then list the files, and then `close`."""

    def __init__(
        self,
        volume: ConsumerVolume[Place],
        history: History,
        *,
        max_event_age: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._volume = volume
        self._history = history
        self._footers = RawFileFooters(volume.changes)
        self._lost: set[Place] = set()
        self._max_event_age = max_event_age
        self._clock = clock

    def complete_until(self) -> datetime | None:
        """Until when the files that are listed from now on hold all rows; None if no hour can be closed.

        A batch that commits after this was asked isn't counted, though its files may be listed. A volume of
        the former layout has files that aren't listed.
        """
        if former_layout.is_former(self._volume):
            return None
        return complete_until(self._volume.checkpoint, max_event_age=self._max_event_age, now=self._clock())

    def close(self, files: Iterable[RawFile], complete: datetime | None, report: Report) -> Survey:
        """Close the hours that ended by `complete`, of `files`; what a look at these showed."""
        end = self._volume.history_end()
        survey = self._footers.survey(files, end, now=self._clock())
        for error in survey.awaited:
            report.fault("close hours", _awaited(error))
        for error in survey.lost:
            self._give_up(error, report)
        if complete is not None:
            until = min(complete, survey.readable_until)
            with report.noting_faults("close hours"):
                gaps = [gap for told in survey.gaps.values() for gap in told]
                known = self._history.gaps() if gaps else ()
                for hour, raw in files_by_hour(survey.times, since=end, until=until).items():
                    new = without_known(gaps_until(hour, gaps), known)
                    if self._close_hour(hour, raw, new, report):
                        report.hours_closed += 1
                        known = (*known, *new)
        return survey

    def _close_hour(self, hour: datetime, files: list[RawFile], gaps: Iterable[Gap], report: Report) -> bool:
        """Without the files that are lost, though their footers could be read."""
        sources = [self._volume.changes / raw.name for raw in files]
        while True:
            try:
                return write_hour(self._history, hour, sources, report, gaps=gaps)
            except UnreadableFile as error:
                if error.path not in sources:
                    raise
                modified = modified_at(error.path)
                if modified is None or not is_lost(modified, self._clock()):
                    raise _awaited(error) from error
                self._give_up(error, report)
                sources.remove(error.path)

    def _give_up(self, error: UnreadableFile, report: Report) -> None:
        if error.path not in self._lost:
            self._lost.add(error.path)
            report.raw_files_lost += 1
            _log.error("hours are closed without a file that can't be read", reason=str(error))


def write_hour(
    history: History, hour: datetime, sources: Iterable[Place], report: Report, *, gaps: Iterable[Gap] = ()
) -> bool:
    """Publish the rows of `hour` in `sources` with `gaps`; whether there were rows. Raises what History.write
    does.
    """
    files = list(sources)
    written = history.write(hour, files, gaps)
    if written is None:
        return False
    report.rows_written += written.rows
    report.bytes_written += written.bytes
    report.duplicates += written.duplicates
    _log.info("hour written", hour=hour.isoformat(), files=len(files), rows=written.rows, bytes=written.bytes)
    return True


def _awaited(error: UnreadableFile) -> UnreadableFile:
    return UnreadableFile(
        error.path,
        f"{error.reason.rstrip('.')}. Its hours wait until it is whole again, {PATIENCE // HOUR} h at most."
        f" To read its rows again from the topic: {RESET}",
    )
