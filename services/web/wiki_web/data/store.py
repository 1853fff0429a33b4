"""Commits into the engine: one load, then each batch as it comes; answers are fixed to a commit."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
import structlog

from wiki_common.volume import BatchId
from wiki_web.data.engines.engine import Engine
from wiki_web.data.follower import Commit, FolderMoved, Follower
from wiki_web.data.queries import HELD, RANKS_BEFORE, Query, statement_of
from wiki_web.data.rows import MICROSECOND, RowsError, boundary_of, closed_hours, concat, newest_us, read_rows

_log = structlog.get_logger(__name__)

_FILES_AT_ONCE: Final = 200
_LOAD_ATTEMPTS: Final = 5
_LOG_EVERY: Final = 1.0  # seconds, while loading


@dataclass(frozen=True)
class Position:
    """The commit that answers are about. `generation` counts loads.

    `as_of_us` is the newest event_time, but none after the commit: a change from the future moves no window,
    and counts when its time has come. None while there is no change. `newest_us` is without that bound.
    """

    generation: int
    batch: BatchId | None  # None: history is all there is
    committed_at: float
    as_of_us: int | None
    newest_us: int | None
    filled_at: float  # when the newest commit that had rows was committed

    @property
    def empty_for(self) -> float:
        """Seconds for which commits have come that had no rows."""
        return self.committed_at - self.filled_at

    def ahead_of(self, now: float) -> float:
        """Seconds by which the commit or its newest change is later than `now`: above 0, a clock is wrong."""
        newest = (self.newest_us or 0) / 1_000_000
        return max(self.committed_at, newest) - now

    @property
    def key(self) -> tuple[int, str, int | None]:
        return self.generation, str(self.batch), self.as_of_us


@dataclass(frozen=True)
class Progress:
    """Files read of all that the current load needs."""

    done: int = 0
    of: int = 0


class NothingHeld(Exception):
    """There is no change to ask about at `position`."""

    def __init__(self, position: Position | None) -> None:
        super().__init__()
        self.position = position


class Store:
    """One thread calls `refresh`, another may call `rebase_if_due`; any thread may ask.

    `list_every`: see Follower.
    """

    def __init__(
        self, data_dir: Path, engine: Engine, max_window: timedelta, list_every: float = 0.0
    ) -> None:
        self._data_dir = data_dir
        self.changes_dir = data_dir / "changes"
        self._engine = engine
        self._keep_us = (max_window + RANKS_BEFORE) // MICROSECOND
        self._list_every = list_every
        self._follower = self._new_follower()
        self._advancing = threading.Lock()
        # Not at once with a load: a rebase would bring rows back that the load has dropped.
        self._rebasing = threading.Lock()
        self._boundary_us = 0
        self._position: Position | None = None
        # What is held doesn't continue in the folder, or a load has failed half-way.
        self._must_load = True
        self._generation = 0
        self._logged_at = 0.0
        self.progress = Progress()
        self.progressed_at = time.monotonic()  # when a load last read files

    @property
    def position(self) -> Position | None:
        """None until the first load is done."""
        return self._position

    @property
    def rows_held(self) -> int:
        return self._engine.rows_held

    def check_engine(self) -> None:
        """Raises EngineDied."""
        self._engine.check()

    def commits_after(self, position: Position | None) -> int:
        """Batches committed that an answer at `position` doesn't show."""
        return Follower(self.changes_dir).commits_after(position.batch if position else None)

    def refresh(self) -> bool:
        """Take in what was committed; whether there was anything.

        Raises OSError, FolderMoved, RowsError or EngineError; the next call tries the same again.
        """
        if self._position is None or self._must_load:
            return self._load()
        try:
            commit = self._follower.poll()
            if commit is None:
                return False
            rows = self._read(commit, self._position)
        except (FolderMoved, FileNotFoundError) as error:
            _log.warning("changes moved, loading again", reason=str(error))
            self._must_load = True
            return self._load()
        with self._advancing:
            self._engine.append(rows)
            newest = _later(self._position.newest_us, newest_us(rows))
            self._position = Position(
                self._generation,
                commit.batch,
                commit.committed_at,
                _later(self._position.as_of_us, _not_after(newest, commit.committed_at)),
                newest,
                commit.committed_at if rows.num_rows else self._position.filled_at,
            )
        self._follower.accept(commit)
        return True

    def prepare(self, query: Query) -> tuple[Position, int, Callable[[], pa.Table]]:
        """The current commit, its `as_of_us`, `query` fixed to it. Raises EngineError, NothingHeld."""
        with self._advancing:
            position = self._position
            if position is None or position.as_of_us is None:
                raise NothingHeld(position)
            return position, position.as_of_us, self._engine.prepare(statement_of(query, position.as_of_us))

    def rebase_if_due(self) -> bool:
        """Rebase the engine if that makes queries cheaper; whether it did."""
        with self._rebasing:
            position = self._position
            if position is None or position.as_of_us is None:
                return False
            hours, horizon_us = closed_hours(self._data_dir), position.as_of_us - self._keep_us
            if not self._engine.needs_rebase(hours, horizon_us):
                return False
            self._engine.rebase(hours, horizon_us)
            return True

    def _read(self, commit: Commit, position: Position) -> pa.Table:
        """The commit's rows that aren't in the hours of the last load."""
        from_us = max(self._boundary_us, (position.as_of_us or 0) - self._keep_us)
        return read_rows([self.changes_dir / file for file in commit.files], from_us=from_us)

    def _new_follower(self) -> Follower:
        return Follower(self.changes_dir, self._list_every)

    def _load(self) -> bool:
        """Read everything; False while there is nothing. If an hour is closed meanwhile, read again."""
        for _ in range(_LOAD_ATTEMPTS):
            follower = self._new_follower()
            hours = closed_hours(self._data_dir)
            try:
                commit = follower.poll()
                if commit is None and not hours:
                    self._forget()
                    return False
                files = [self.changes_dir / file for file in commit.files] if commit else []
                self.progress = Progress(0, len(files) + len(hours))
                tail = self._read_all(files, boundary_of(hours))
                filled_at = _last_filled_at(files) or _last_filled_at([hour.path for hour in hours])
            except (FolderMoved, FileNotFoundError) as error:
                _log.warning("changes moved while loading", reason=str(error))
                continue
            if closed_hours(self._data_dir)[-1:] == hours[-1:]:
                break
        else:
            raise FolderMoved(f"{self.changes_dir}: moved at each of {_LOAD_ATTEMPTS} loads")
        committed_at = commit.committed_at if commit else hours[-1].path.stat().st_mtime
        newest = _not_after(_later(newest_us(tail), boundary_of(hours) or None), committed_at)
        horizon_us = (newest or 0) - self._keep_us
        with self._rebasing, self._advancing:
            self._must_load = True
            self._engine.load(hours, tail, horizon_us, lambda done: self._advance(len(files) + done))
            self._generation += 1
            if commit:
                follower.accept(commit)
            self._follower, self._boundary_us = follower, boundary_of(hours)
            held = self._engine.prepare(HELD)()
            newest_held: int | None = held["newest_us"][0].as_py()
            self._position = Position(
                self._generation,
                commit.batch if commit else None,
                committed_at,
                _not_after(newest_held, committed_at),
                newest_held,
                filled_at or committed_at,
            )
            self._must_load = False
        _log.info("changes loaded", rows=self.rows_held, hours=len(hours), files=len(files))
        return True

    def _read_all(self, files: list[Path], from_us: int) -> pa.Table:
        tables = []
        for start in range(0, len(files), _FILES_AT_ONCE):
            part = files[start : start + _FILES_AT_ONCE]
            tables.append(read_rows(part, from_us=from_us))
            self._advance(start + len(part))
        return concat(tables)

    def _advance(self, done: int) -> None:
        self.progress = Progress(done, self.progress.of)
        self.progressed_at = time.monotonic()
        if self.progressed_at - self._logged_at >= _LOG_EVERY:
            self._logged_at = self.progressed_at
            _log.info("loading", files=done, of=self.progress.of)

    def _forget(self) -> None:
        self._position = None
        self.progress = Progress()


def _last_filled_at(files: Sequence[Path]) -> float | None:
    """When the last of `files`, in their order, that has rows was written; None if none has."""
    try:
        last = next((path for path in reversed(files) if pq.read_metadata(path).num_rows), None)
    except pa.ArrowException as error:
        raise RowsError(str(error)) from error
    return None if last is None else last.stat().st_mtime


def _not_after(event_us: int | None, time: float) -> int | None:
    """The earlier of the two, `time` being in seconds."""
    return None if event_us is None else min(event_us, int(time * 1_000_000))


def _later(one: int | None, other: int | None) -> int | None:
    return max((moment for moment in (one, other) if moment is not None), default=None)
