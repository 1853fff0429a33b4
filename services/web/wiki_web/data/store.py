"""Commits into the engine: one load, then each batch as it comes; answers are fixed to a commit."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa
import structlog

from wiki_common.store.place import Place
from wiki_common.volume import BatchId
from wiki_web.data.engines.engine import Engine
from wiki_web.data.follower import Commit, FolderMoved, Follower
from wiki_web.data.footers import CoverageSoFar, later
from wiki_web.data.gaps import Span, joined
from wiki_web.data.loading import Loader, Progress
from wiki_web.data.long_queries import LongQueries
from wiki_web.data.queries import HELD, RANKS_BEFORE, Query, Statement, matching_of, statement_of
from wiki_web.data.rows import (
    MICROSECOND,
    boundary_of,
    closed_hours,
    microseconds,
    newest_us,
    read_rows,
)

_log = structlog.get_logger(__name__)

_LIST_OBJECTS_EVERY: Final = 60.0  # seconds: each list is paid for
# And as often where there is no batch yet, whose next one could be asked for by its name.
_LIST_UNTIL_ONE_EVERY: Final = 5.0  # seconds


@dataclass(frozen=True)
class Position:
    """The commit that answers are about. `generation` counts loads.

    Everything up to `as_of_us` is counted, later changes count when their time has come; None while nothing
    tells a time. In `gaps` nothing is known. The clocks are those of the store.
    """

    generation: int
    batch: BatchId | None  # None: history is all there is
    committed_at: float  # by the clock of who wrote it
    as_of_us: int | None
    gaps: tuple[Span, ...] = ()
    moved_at: float = 0.0  # monotonic seconds, when as_of_us last moved on
    ahead: float = 0.0  # seconds by which commit and as_of were later than our clock as they were taken in


class NothingHeld(Exception):
    """There is no change to ask about at `position`."""

    def __init__(self, position: Position | None) -> None:
        super().__init__()
        self.position = position


class Store:
    """One thread calls `refresh`, another may call `rebase_if_due`; any thread may ask.

    `list_every`: see Follower. `clock` is monotonic, `wall_clock` seconds since the epoch. A query that
    reaches further back than what is held is refused if it is about more than the engine's `most_counted`.
    """

    def __init__(
        self,
        data_dir: Place,
        engine: Engine,
        max_window: timedelta,
        list_every: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._long_queries = LongQueries(engine.most_counted)
        self._data_dir = data_dir
        self.changes_dir = data_dir / "changes"
        self._engine = engine
        self._keep_us = (max_window + RANKS_BEFORE) // MICROSECOND
        self._list_every, self._look_every = list_every, 0.0
        if not isinstance(data_dir, Path):
            self._list_every, self._look_every = max(list_every, _LIST_OBJECTS_EVERY), _LIST_UNTIL_ONE_EVERY
        self._look_at = 0.0
        self._clock = clock
        self._wall_clock = wall_clock
        self._follower = self._new_follower()
        self._advancing = threading.Lock()
        # Not at once with a load: a rebase would bring rows back that the load has dropped.
        self._rebasing = threading.Lock()
        self._boundary_us = 0
        self._history_end_us = 0  # as far as is known
        self._forgotten_us = 0
        self._newest_us: int | None = None  # of all rows held, also those that don't count yet
        self._position: Position | None = None
        # What is held doesn't continue in the folder, or a load has failed half-way.
        self._must_load = True
        self._generation = 0
        self._loader = Loader(data_dir, self._new_follower)
        self.unreadable_footers = 0

    @property
    def position(self) -> Position | None:
        """None until the first load is done."""
        return self._position

    @property
    def forgotten_us(self) -> int:
        """Rows up to this time (µs) may not be held. All later ones are."""
        return self._forgotten_us

    @property
    def progress(self) -> Progress:
        """Of the current load."""
        return self._loader.progress

    @property
    def progressed_at(self) -> float:
        """When a load read files last, by time.monotonic."""
        return self._loader.progressed_at

    @property
    def rows_held(self) -> int:
        return self._engine.rows_held

    def check_engine(self) -> None:
        """Raises EngineDied."""
        self._engine.check()

    def commits_after(self, position: Position | None) -> int:
        """Batches committed that an answer at `position` doesn't show."""
        # Who follows in an object store needs no list.
        follower = Follower(self.changes_dir) if isinstance(self.changes_dir, Path) else self._follower
        return follower.commits_after(position.batch if position else None)

    def refresh(self) -> bool:
        """Take in what was committed; whether there was anything.

        Raises OSError, FolderMoved, RowsError or EngineError; the next call tries the same again.
        """
        if self._clock() < self._look_at:
            return False
        if self._position is None or self._must_load:
            return self._load()
        try:
            commit = self._follower.poll()
            if commit is None:
                self._look_later(self._position)
                return False
            rows = self._read(commit, self._position)
            coverage = CoverageSoFar(self._position.as_of_us, self._position.gaps)
            coverage.add([self.changes_dir / file for file in commit.files])
        except (FolderMoved, FileNotFoundError) as error:
            _log.warning("changes moved, loading again", reason=str(error))
            self._must_load = True
            return self._load()
        with self._advancing:
            self._engine.append(rows)
            self._newest_us = later(self._newest_us, newest_us(rows))
            self._position = self._moved_to(commit, commit.committed_at, coverage)
        self.unreadable_footers += coverage.unreadable
        self._follower.accept(commit)
        return True

    def prepare(
        self, query: Query, totals_at: Position | None = None
    ) -> tuple[Position, int, Callable[[], pa.Table]]:
        """The current commit, its `as_of_us`, `query` fixed to it, which may raise TooManyChanges.

        The totals are left out if the commit is `totals_at`.

        Raises EngineError, NothingHeld.
        """
        with self._advancing:
            position = self._position
            if position is None or position.as_of_us is None:
                raise NothingHeld(position)
            statement = statement_of(query, position.as_of_us, with_totals=position != totals_at)
            run = self._engine.prepare(statement)
            if self._engine.rows_in_files(statement.after_us):
                count = self._engine.prepare(matching_of(query, position.as_of_us))
                run = self._long_queries.guarded(query, count, run)
            return position, position.as_of_us, run

    def prepare_at_newest(self, statement: Callable[[int], Statement]) -> Callable[[], pa.Table]:
        """What `statement` makes of the newest commit's `as_of_us`, fixed to that commit.

        Raises EngineError, NothingHeld.
        """
        with self._advancing:
            position = self._position
            if position is None or position.as_of_us is None:
                raise NothingHeld(position)
            return self._engine.prepare(statement(position.as_of_us))

    def rebase_if_due(self) -> bool:
        """Rebase the engine if that makes queries cheaper; whether it did."""
        with self._rebasing:
            position = self._position
            if position is None or position.as_of_us is None:
                return False
            hours = closed_hours(self._data_dir)
            self._history_end_us = boundary_of(hours)
            horizon_us = self._horizon_us(position.as_of_us)
            if not self._engine.needs_rebase(hours, horizon_us):
                return False
            self._forgotten_us = horizon_us
            self._engine.rebase(hours, horizon_us)
            return True

    def _look_later(self, position: Position | None) -> None:
        """There was nothing new, and without a batch only a list can tell when there is."""
        if position is None or position.batch is None:
            self._look_at = self._clock() + self._look_every

    def _read(self, commit: Commit, position: Position) -> pa.Table:
        """The commit's rows that aren't in the hours of the last load."""
        from_us = max(self._boundary_us, self._horizon_us(position.as_of_us))
        return read_rows([self.changes_dir / file for file in commit.files], from_us=from_us)

    def _horizon_us(self, as_of_us: int | None) -> int:
        """Rows up to this time needn't be held: no window reaches them, and the history has them."""
        horizon_us = (as_of_us or 0) - self._keep_us
        return min(horizon_us, self._history_end_us - 1) if self._history_end_us else horizon_us

    def _new_follower(self) -> Follower:
        return Follower(self.changes_dir, self._list_every, lambda: self._history_end_us)

    def _moved_to(self, commit: Commit | None, committed_at: float, coverage: CoverageSoFar) -> Position:
        as_of_us = coverage.counted_until(self._newest_us, committed_at)
        newest = max(committed_at, (as_of_us or 0) / 1_000_000)
        return Position(
            self._generation,
            commit.batch if commit else None,
            committed_at,
            as_of_us,
            joined(coverage.gaps, self._horizon_us(as_of_us)),
            self._moved_at(as_of_us),
            newest - self._wall_clock(),
        )

    def _moved_at(self, as_of_us: int | None) -> float:
        """When the time up to which is counted came to be `as_of_us`.

        At a start nobody knows: it is taken to have stood there ever since, by our clock.
        """
        before = self._position.as_of_us if self._position else None
        if self._position is not None and before is not None and as_of_us is not None and as_of_us >= before:
            return self._clock() if as_of_us > before else self._position.moved_at
        age = 0.0 if as_of_us is None else self._wall_clock() - as_of_us / 1_000_000
        return self._clock() - max(0.0, age)

    def _load(self) -> bool:
        """Read everything; False while there is nothing."""
        found = self._loader.find()
        if found is None:
            self._position = None
            self._look_later(None)
            return False
        hours, coverage, commit = found.hours, found.coverage, found.commit
        newest = later(newest_us(found.tail), boundary_of(hours) or None)
        self._history_end_us = boundary_of(hours)
        horizon_us = self._horizon_us(coverage.counted_until(newest, found.committed_at))
        coverage.add_hours([hour.path for hour in hours if microseconds(hour.end) > horizon_us])
        files = self._loader.progress.done
        with self._rebasing, self._advancing:
            self._must_load = True
            self._forgotten_us = horizon_us
            self._engine.load(hours, found.tail, horizon_us, lambda done: self._loader.advance(files + done))
            self._generation += 1
            if commit:
                found.follower.accept(commit)
            self._follower, self._boundary_us = found.follower, boundary_of(hours)
            held = self._engine.prepare(HELD)()
            self._newest_us = held["newest_us"][0].as_py()
            loaded = self._moved_to(commit, found.committed_at, coverage)
            # A commit may be old when a load finds it: that tells nothing of the clocks.
            self._position = replace(loaded, ahead=max(0.0, loaded.ahead))
            self._must_load = False
        self.unreadable_footers += coverage.unreadable
        _log.info("changes loaded", rows=self.rows_held, hours=len(hours), files=files)
        return True
