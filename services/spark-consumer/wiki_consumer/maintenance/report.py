"""What a run of the maintenance did, and what went wrong in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import pyarrow as pa
import structlog

from wiki_consumer.checkpoint.batch_clock import CheckpointUnreadable
from wiki_consumer.volume.history import VerificationFailed
from wiki_consumer.volume.raw_files import UnreadableFile

# What can go wrong on a disk: the run reports it and the next one tries again.
FAULTS: Final = (
    OSError,
    pa.ArrowException,
    CheckpointUnreadable,
    UnreadableFile,
    VerificationFailed,
)

_log = structlog.get_logger()


@dataclass
class Report:
    """What one run did, and how it left the volume. A failure is one line; the next run tries again.

    `raw_files`, how many there are, is None if the volume couldn't be looked at. `baseline_end` and the
    seconds that it took are None if no baseline was written.
    """

    hours_closed: int = 0
    rows_written: int = 0
    bytes_written: int = 0
    duplicates: int = 0
    rows_recovered: int = 0
    raw_files_deleted: int = 0
    raw_bytes_deleted: int = 0
    raw_files_lost: int = 0
    hours_expired: int = 0
    raw_files: int | None = None
    history_end: datetime | None = None
    baseline_end: datetime | None = None
    baseline_duration: float | None = None
    failures: list[str] = field(default_factory=list)

    @contextmanager
    def noting_faults(self, task: str) -> Iterator[None]:
        try:
            yield
        except FAULTS as error:
            self.fault(task, error)

    def fault(self, task: str, error: Exception) -> None:
        reason = f"{task}: {' '.join(str(error).split())}"
        _log.error("maintenance failed", reason=reason)
        self.failures.append(reason)
