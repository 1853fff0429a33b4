"""A run of the maintenance, which keeps the volume at the same size and cost for ever.

By hand, while no consumer runs: python -m wiki_consumer.maintenance --once

Nothing is deleted before a verified copy of each of its rows is in the history, and each step leaves the
volume such that a crash after it loses and doubles nothing: the next run finds what is left to do by
looking.

1. What a crash left half-written is removed.
2. Each hour that no batch can write to any more (batch_clock) becomes a file of the history, the oldest
   first; a later hour is never published before an earlier one. It takes the rows of all whole raw files,
   also of those that the sink's log doesn't name: a crashed batch's rows are those of its second run, so the
   ids meet and count once.
3. Raw files that are out of the log for good are deleted, if the history has all their ids. Rows that it
   lacks (the log forgot the file too early, or a clock was set far back) are first written to their hour.
4. Hours past the retention are deleted, and folders that became empty are removed.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import structlog

from wiki_common.volume import HOUR
from wiki_consumer.maintenance.closing import HourCloser, write_hour
from wiki_consumer.maintenance.report import Report
from wiki_consumer.volume import log_retention
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.history import History
from wiki_consumer.volume.raw_files import (
    GRACE,
    OnStep,
    Unlisted,
    UnreadableFile,
    delete_raw_file,
    ids_by_hour,
    is_half_written,
    list_raw_files,
    remove_leftovers,
)
from wiki_consumer.volume.sink_log import LOG_DIRECTORY, SinkLog, read_sink_log

_log = structlog.get_logger()


def _debug(step: str) -> None:
    _log.debug("maintenance step", step=step)


class Maintenance:
    """The volume's only maintainer: in the consumer's process, or by hand while no consumer runs.

    `clock` is UTC, `monotonic` in seconds; `on_step` is told each thing done to the disk, when it is done.
    `grace` is how long a raw file stays after the log has dropped it.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        max_event_age: timedelta,
        history_retention: timedelta,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        on_step: OnStep = _debug,
        grace: timedelta = GRACE,
    ) -> None:
        volume = ConsumerVolume(data_dir)
        self._volume = volume
        self._history = History(volume, on_step)
        self._hours = HourCloser(volume, self._history, max_event_age=max_event_age, clock=clock)
        self._unlisted = Unlisted(grace)
        self._max_event_age = max_event_age
        self._history_retention = history_retention
        self._clock = clock
        self._monotonic = monotonic
        self._grace = grace
        self._on_step = on_step

    def run(self, *, consumer_runs: bool = True) -> Report:
        """Do all that is due now. Faults of the disk are in the report, none of them raises.

        Where no consumer runs, no batch is in progress, whose end files wait for before they are deleted.
        """
        report = Report()
        with report.noting_faults("look at the volume"):
            self._history.clear_writing()
            complete = None
            with report.noting_faults("close hours"):
                complete = self._hours.complete_until()
            names = list_raw_files(self._volume.changes)  # before the log: see Unlisted
            log = read_sink_log(self._volume.changes)
            with report.noting_faults("close hours"):
                self._hours.close(names, log, complete, report)
            with report.noting_faults("delete raw files"):
                self._delete_raw_files(self._deletable(names, log, consumer_runs), report)
            with report.noting_faults("delete old history"):
                report.hours_expired = len(self._history.expire(self._oldest_kept()))
                self._history.remove_empty_folders()
            report.history_end = self._volume.history_end()
            report.raw_files = len(names) - report.raw_files_deleted
            report.committed_files = len(log.files)
            report.uncompacted_age = log_retention.uncompacted_age(log, report.history_end, self._clock())
            pa.default_memory_pool().release_unused()
        return report

    def safe_retention(self) -> timedelta:
        """The `retention` to start the query with now: see log_retention. Raises SinkLogError."""
        return log_retention.safe_retention(self._uncompacted_age(), self._max_event_age)

    def retention_fits(self, retention: timedelta) -> bool:
        """Whether a query started with `retention` may go on; else restart it. Raises SinkLogError."""
        return log_retention.fits(retention, self._uncompacted_age(), self._max_event_age)

    def _uncompacted_age(self) -> timedelta:
        return log_retention.uncompacted_age(
            read_sink_log(self._volume.changes), self._volume.history_end(), self._clock()
        )

    def _oldest_kept(self) -> datetime:
        """By the clock, or by the history's end where that is earlier: a clock that is wrong for a moment, or
        an outage, deletes nothing.
        """
        now, end = self._clock(), self._volume.history_end()
        return (now if end is None else min(now, end)) - self._history_retention

    def _deletable(self, names: set[str], log: SinkLog, consumer_runs: bool) -> list[str]:
        settled = self._unlisted.settled(names, log, monotonic=self._monotonic())
        if consumer_runs:
            return settled
        changed = (self._volume.changes / LOG_DIRECTORY).stat().st_mtime
        in_use = self._clock() - datetime.fromtimestamp(changed, UTC) < self._grace
        return [] if in_use else sorted(names - log.files.keys())

    def _delete_raw_files(self, names: list[str], report: Report) -> None:
        closed_until = self._volume.history_end()
        known: dict[datetime, set[str | None]] = {}
        for name in names:
            path = self._volume.changes / name
            try:
                hours = {} if is_half_written(path) else ids_by_hour(path)
                if any(closed_until is None or hour >= closed_until for hour in hours):
                    continue
                self._recover(path, hours, known, report)
            except UnreadableFile as error:
                report.fault("delete raw files", error)
                continue
            report.raw_bytes_deleted += delete_raw_file(path)
            report.raw_files_deleted += 1
            self._on_step("raw file deleted")
        remove_leftovers(self._volume.changes, closed_until, self._clock(), self._on_step)

    def _recover(
        self,
        path: Path,
        hours: dict[datetime, set[str | None]],
        known: dict[datetime, set[str | None]],
        report: Report,
    ) -> None:
        """Write the rows of a file that the history lacks to it, unless their hour is past the retention."""
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
