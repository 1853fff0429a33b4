"""All that there is on the volume, read at once: closed hours, and what was committed after them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import structlog

from wiki_common.store.place import Place
from wiki_web.data.follower import Commit, FolderMoved, Follower
from wiki_web.data.footers import CoverageSoFar
from wiki_web.data.rows import Hour, boundary_of, closed_hours, concat, microseconds, read_rows

_log = structlog.get_logger(__name__)

_FILES_AT_ONCE: Final = 200
_LOAD_ATTEMPTS: Final = 5
_LOG_EVERY: Final = 1.0  # seconds, while loading


@dataclass(frozen=True)
class Progress:
    """Files read of all that the current load needs."""

    done: int = 0
    of: int = 0


@dataclass(frozen=True)
class Found:
    """Closed hours, and what was committed after them."""

    hours: tuple[Hour, ...]
    follower: Follower
    commit: Commit | None  # None: history is all there is
    tail: pa.Table
    coverage: CoverageSoFar

    @property
    def committed_at(self) -> float:
        return self.commit.committed_at if self.commit else self.hours[-1].path.stat().st_mtime


class Loader:
    """Reads it, and tells any thread how far that is. Each attempt begins with a new follower."""

    def __init__(self, data_dir: Place, new_follower: Callable[[], Follower]) -> None:
        self._data_dir = data_dir
        self._changes_dir = data_dir / "changes"
        self._new_follower = new_follower
        self._logged_at = 0.0
        self.progress = Progress()
        self.progressed_at = time.monotonic()  # when files were read last

    def find(self) -> Found | None:
        """What is there, None for nothing; if an hour is closed meanwhile, it is read again.

        Raises OSError, FolderMoved or RowsError.
        """
        for _ in range(_LOAD_ATTEMPTS):
            follower = self._new_follower()
            hours = closed_hours(self._data_dir)
            coverage = CoverageSoFar(hour_ends_us=[microseconds(hour.end) for hour in hours])
            try:
                commit = follower.poll()
                if commit is None and not hours:
                    self.progress = Progress()
                    return None
                files = [self._changes_dir / file for file in commit.files] if commit else []
                self.progress = Progress(0, len(files) + len(hours))
                tail = self._read_all(files, boundary_of(hours))
                coverage.add(files)
            except (FolderMoved, FileNotFoundError) as error:
                _log.warning("changes moved while loading", reason=str(error))
                continue
            if closed_hours(self._data_dir)[-1:] == hours[-1:]:
                return Found(hours, follower, commit, tail, coverage)
        raise FolderMoved(f"{self._changes_dir}: moved at each of {_LOAD_ATTEMPTS} loads")

    def advance(self, done: int) -> None:
        """So many files of the load are read."""
        self.progress = Progress(done, self.progress.of)
        self.progressed_at = time.monotonic()
        if self.progressed_at - self._logged_at >= _LOG_EVERY:
            self._logged_at = self.progressed_at
            _log.info("loading", files=done, of=self.progress.of)

    def _read_all(self, files: list[Place], from_us: int) -> pa.Table:
        tables = []
        for start in range(0, len(files), _FILES_AT_ONCE):
            part = files[start : start + _FILES_AT_ONCE]
            tables.append(read_rows(part, from_us=from_us))
            self.advance(start + len(part))
        return concat(tables)
