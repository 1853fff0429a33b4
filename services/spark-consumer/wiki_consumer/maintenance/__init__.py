"""Keeps the volume at the same size and cost for ever: closes hours, deletes what they replace and what is
too old.

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

import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa
import structlog

from wiki_consumer import log_retention
from wiki_consumer.history import History
from wiki_consumer.maintenance.closing import HourCloser, write_hour
from wiki_consumer.maintenance.report import Report
from wiki_consumer.raw_files import (
    GRACE,
    HOUR,
    OnStep,
    Unlisted,
    UnreadableFile,
    delete_raw_file,
    ids_by_hour,
    is_half_written,
    list_raw_files,
    remove_leftovers,
)
from wiki_consumer.sink_log import LOG_DIRECTORY, SinkLog, read_sink_log
from wiki_consumer.volume import Volume

__all__ = ["Maintenance", "Report", "run_periodically"]

NICENESS: Final = 10

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
        volume = Volume(data_dir)
        self._changes = volume.changes
        self._history = History(volume.history, on_step)
        self._hours = HourCloser(volume, self._history, max_event_age=max_event_age, clock=clock)
        self._unlisted = Unlisted(grace)
        self._max_event_age = max_event_age
        self._history_retention = history_retention
        self._clock = clock
        self._monotonic = monotonic
        self._grace = grace
        self._on_step = on_step

    def run(self, *, consumer_runs: bool = True) -> Report:
        """All that is to be done now. Nothing that is wrong with the disk raises: it is in the report.

        Where no consumer runs no batch is in flight, so that it needn't be awaited before files are deleted.
        """
        report = Report()
        with report.noting_faults("look at the volume"):
            self._history.clear_writing()
            settled = None
            with report.noting_faults("close hours"):
                settled = self._hours.settled_until()
            names = list_raw_files(self._changes)  # before the log: see Unlisted
            log = read_sink_log(self._changes)
            with report.noting_faults("close hours"):
                self._hours.close(names, log, settled, report)
            with report.noting_faults("delete raw files"):
                self._delete_raw_files(self._deletable(names, log, consumer_runs), report)
            with report.noting_faults("delete old history"):
                report.hours_expired = len(self._history.expire(self._oldest_kept()))
                self._history.remove_empty_folders()
            report.history_end = self._history.end()
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
        return log_retention.uncompacted_age(read_sink_log(self._changes), self._history.end(), self._clock())

    def _oldest_kept(self) -> datetime:
        """By the clock, or by the history's end where that is earlier: a clock that is wrong for a moment, or
        an outage, deletes nothing.
        """
        now, end = self._clock(), self._history.end()
        return (now if end is None else min(now, end)) - self._history_retention

    def _deletable(self, names: set[str], log: SinkLog, consumer_runs: bool) -> list[str]:
        settled = self._unlisted.settled(names, log, monotonic=self._monotonic())
        if consumer_runs:
            return settled
        changed = (self._changes / LOG_DIRECTORY).stat().st_mtime
        in_use = self._clock() - datetime.fromtimestamp(changed, UTC) < self._grace
        return [] if in_use else sorted(names - log.files.keys())

    def _delete_raw_files(self, names: list[str], report: Report) -> None:
        closed_until = self._history.end()
        known: dict[datetime, set[str | None]] = {}
        for name in names:
            path = self._changes / name
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
        remove_leftovers(self._changes, closed_until, self._clock(), self._on_step)

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


def run_periodically(
    maintenance: Maintenance,
    *,
    interval: timedelta,
    stop: threading.Event,
    on_report: Callable[[Report], None],
) -> None:
    """Run at once and then each `interval` until `stop`, in a thread of its own that gives way to batches."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
    while not stop.is_set():
        on_report(maintenance.run())
        stop.wait(interval.total_seconds())
