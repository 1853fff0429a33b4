"""The maintenance beside the query, in a thread of its own."""

import os
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog

from wiki_consumer.maintenance.maintenance import Maintenance
from wiki_consumer.maintenance.report import Report

# Batches come first.
NICENESS: Final = 10

_log = structlog.get_logger()


class MaintenanceEnded(Exception):
    """The maintenance failed for another reason than the disk; without it the volume would grow for ever."""


class MaintenanceThread:
    """Runs the maintenance each `interval` until it is stopped, or fails and the process has to end."""

    def __init__(
        self, maintenance: Maintenance, *, interval: timedelta, on_report: Callable[[Report], None]
    ) -> None:
        self._maintenance = maintenance
        self._interval = interval
        self._on_report = on_report
        self._stop = threading.Event()
        self._failure: Exception | None = None

    def start(self) -> None:
        threading.Thread(target=self._run, name="maintenance", daemon=True).start()

    def stop(self) -> None:
        """Ask it to end after its current run."""
        self._stop.set()

    def failed(self) -> bool:
        return self._failure is not None

    def raise_failure(self) -> None:
        """Raises MaintenanceEnded if it has failed."""
        if self._failure is not None:
            raise MaintenanceEnded(f"the maintenance failed: {self._failure!r}") from self._failure

    def _run(self) -> None:
        try:
            run_periodically(
                self._maintenance, interval=self._interval, stop=self._stop, on_report=self._on_report
            )
        except Exception as error:  # noqa: BLE001 - the main thread raises it
            _log.exception("unexpected error in the maintenance")
            self._failure = error


def run_periodically(
    maintenance: Maintenance,
    *,
    interval: timedelta,
    stop: threading.Event,
    on_report: Callable[[Report], None],
) -> None:
    """Run at once and then each `interval` until `stop`, in a thread of its own that gives way to batches."""
    if sys.platform == "linux":
        os.nice(NICENESS)  # of this thread alone there
    while not stop.is_set():
        on_report(maintenance.run())
        stop.wait(interval.total_seconds())
