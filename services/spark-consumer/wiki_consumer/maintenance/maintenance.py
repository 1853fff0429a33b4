"""A run of the maintenance, which keeps the volume at the same size and cost for ever.

By hand, while no consumer runs: python -m wiki_consumer.maintenance --once

Nothing is deleted before a verified copy of each of its rows is in the history, and each step leaves the
volume such that a crash after it loses and doubles nothing: the next run finds what is left to do by
looking.

1. What a crash left half-written is removed.
2. Each hour that no batch can write to any more (batch_clock) becomes a file of the history, the oldest
   first; a later hour is never published before an earlier one. It takes the rows of all raw files.
3. Raw files whose rows all lie before the history's end are deleted, if the history has all their ids and
   gaps. Rows that it lacks (a clock was set far back) are first written to their hour.
4. Hours past the retention are deleted, and folders that became empty are removed.
5. After an hour was closed, what is usual is computed anew from the last week's hours.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import structlog

from wiki_common.store.place import Place
from wiki_consumer.maintenance.baseline import BaselineKeeper
from wiki_consumer.maintenance.closing import HourCloser
from wiki_consumer.maintenance.deletion import GRACE, RawFileDeleter
from wiki_consumer.maintenance.report import Report
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.history import History
from wiki_consumer.volume.raw_files import OnStep, list_raw_files

_log = structlog.get_logger()


def _debug(step: str) -> None:
    _log.debug("maintenance step", step=step)


class Maintenance:
    """The volume's only maintainer: in the consumer's process, or by hand while no consumer runs.

    `clock` is UTC; `on_step` is told each thing done to the disk, when it is done. `grace` is how long a raw
    file stays after its hour was closed.
    """

    def __init__(
        self,
        data_dir: Place,
        *,
        max_event_age: timedelta,
        history_retention: timedelta,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_step: OnStep = _debug,
        grace: timedelta = GRACE,
    ) -> None:
        self._volume = ConsumerVolume(data_dir)
        self._history = History(self._volume, on_step)
        self._hours = HourCloser(self._volume, self._history, max_event_age=max_event_age, clock=clock)
        self._raw_files = RawFileDeleter(
            self._volume,
            self._history,
            clock=clock,
            oldest_kept=self._oldest_kept,
            grace=grace,
            on_step=on_step,
        )
        self._baseline = BaselineKeeper(self._volume, self._history, on_step)
        self._history_retention = history_retention
        self._clock = clock

    def run(self) -> Report:
        """Do all that is due now. Faults of the disk are in the report, none of them raises."""
        report = Report()
        with report.noting_faults("look at the volume"):
            self._history.clear_writing()
            complete = None
            with report.noting_faults("close hours"):
                complete = self._hours.complete_until()
            files = list_raw_files(self._volume.changes)
            survey = self._hours.close(files, complete, report)
            with report.noting_faults("delete raw files"):
                self._raw_files.delete(files, survey, report)
            with report.noting_faults("delete old history"):
                report.hours_expired = len(self._history.expire(self._oldest_kept()))
                self._history.remove_empty_folders()
            with report.noting_faults("compute the baseline"):
                self._baseline.update(report)
            report.history_end = self._volume.history_end()
            report.raw_files = len(files) - report.raw_files_deleted
            pa.default_memory_pool().release_unused()
        return report

    def _oldest_kept(self) -> datetime:
        """By the clock, or by the history's end where that is earlier: a clock that is wrong for a moment, or
        an outage, deletes nothing.
        """
        now, end = self._clock(), self._volume.history_end()
        return (now if end is None else min(now, end)) - self._history_retention
