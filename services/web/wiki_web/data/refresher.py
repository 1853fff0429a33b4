"""The threads behind the answers: one takes in commits and recomputes, one rebases, one watches both."""

import os
import threading
import time
from collections.abc import Callable
from typing import Final

import structlog

from wiki_web.data.answer_cache import AnswerCache
from wiki_web.data.engines.engine import EngineDied, EngineError
from wiki_web.data.folder_watch import FolderWatch
from wiki_web.data.follower import FolderMoved
from wiki_web.data.long_queries import TooManyChanges
from wiki_web.data.rows import RowsError
from wiki_web.data.store import Position, Store
from wiki_web.metrics import Metrics

_log = structlog.get_logger(__name__)

# A batch's file ends the pause. Where the system doesn't tell of it, the folder is looked at four times in a
# refresh period, less often where a refresh takes long.
_POLLS_PER_PERIOD: Final = 4
_PAUSE_PER_WORK: Final = 1.5
# However quickly batches come, requests have their turn between two refreshes.
_REST_PER_WORK: Final = 0.25
# After failures in a row the pause grows to this: little load on a volume that is away, and a quick return.
_LONGEST_PAUSE: Final = 5  # refresh periods
_REBASE_EVERY: Final = 10.0  # seconds
_HUNG_AFTER: Final = 300.0  # seconds without progress
_CHECKS_UNTIL_HUNG: Final = 60  # in that time
_ENGINE_FAILURES: Final = 10  # in a row: then a new engine is tried, in a new process
FATAL: Final = 3  # the exit code of a worker at which gunicorn ends too; a supervisor starts both again


def end_process(reason: str) -> None:
    """For a supervisor to start it again: a page that shows one answer for ever is worse than none."""
    _log.critical("web ends", reason=reason)
    os._exit(FATAL)


def pause_after(period: float, worked: float, failures: int) -> float:
    """Seconds until the next look, after `worked` seconds of refreshing and `failures` in a row."""
    if failures:
        return period * min(failures, _LONGEST_PAUSE)
    return min(period, max(period / _POLLS_PER_PERIOD, _PAUSE_PER_WORK * worked))


class Refresher:
    """Runs from `start` to `stop`; `fatal` is called with the reason when it can't go on.

    It counts as hung after `hung_after` seconds without progress.
    """

    def __init__(
        self,
        store: Store,
        answers: AnswerCache,
        period: float,
        metrics: Metrics,
        fatal: Callable[[str], None] = end_process,
        hung_after: float = _HUNG_AFTER,
    ) -> None:
        self.store = store
        self._answers = answers
        self._period = period
        self._metrics = metrics
        self._fatal = fatal
        self._hung_after = hung_after
        self._stopping = threading.Event()
        self._due_at = time.monotonic()
        self._failures = self._engine_failures = 0
        self._wake: Callable[[], None] = lambda: None
        self.failure: str | None = None
        self.told: Callable[[], None] = lambda: None  # called after each refresh: there may be something new
        self.watched: Callable[[], None] = lambda: None  # called every few seconds, whatever happens
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), name=work.__name__.strip("_"), daemon=True)
            for work in (self._refresh_for_ever, self._rebase_for_ever, self._watch)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask the threads to end and wait a little: as daemons they can't hold the process."""
        self._stopping.set()
        self._wake()
        for thread in self._threads:
            thread.join(2)

    def hung_for(self) -> float | None:
        """Seconds without progress if they are too many or a thread has ended, None while all is ok."""
        silent = self._silent()
        dead = not all(thread.is_alive() for thread in self._threads)
        return silent if dead or silent > self._hung_after / 2 else None

    def refresh_once(self) -> bool:
        """Take in what was committed and bring the answers up to it; whether anything was new.

        A transient failure is logged, kept in `failure` and counted; EngineDied is raised.
        """
        before = self.store.position
        try:
            changed = self.store.refresh()
            self._answers.refresh()
        except EngineDied:
            raise
        except (EngineError, TooManyChanges, FolderMoved, RowsError, OSError) as error:
            self._failures += 1
            # Others are not counted for a restart: it would make no file readable, and lose what is held.
            self._engine_failures += isinstance(error, EngineError)
            self.failure = f"{type(error).__name__}: {error}"
            _log.error("refresh failed", reason=self.failure, in_a_row=self._failures)
            self._metrics.refresh_failures.inc()
            return False
        self._failures, self._engine_failures, self.failure = 0, 0, None
        if changed and before is not None:
            self._tell_ages(before)
        return changed

    def _tell_ages(self, before: Position) -> None:
        """Note how old the newest answer is, unless a load made it: what that finds may be of any age."""
        shown = self._answers.shown()
        position = shown.position if shown else None
        if position is None or position.as_of_us is None or position.generation != before.generation:
            return
        now = time.time()
        self._metrics.committed_to_answer.observe(max(0.0, now - position.committed_at))
        self._metrics.behind.observe(max(0.0, now - position.as_of_us / 1_000_000))

    def _refresh_for_ever(self) -> None:
        with FolderWatch(self.store.changes_dir) as watch:
            self._wake = watch.wake
            while not self._stopping.is_set():
                watch.arm()
                started = time.monotonic()
                if self.refresh_once():
                    self._metrics.refresh_seconds.observe(time.monotonic() - started)
                self.told()
                if self._engine_failures >= _ENGINE_FAILURES:
                    raise EngineDied(f"{self._engine_failures} refreshes failed, the last: {self.failure}")
                self._pause(watch, time.monotonic() - started)

    def _pause(self, watch: FolderWatch, worked: float) -> None:
        """Until a batch appears or it is time to look; after failures, no batch makes it shorter."""
        pause = pause_after(self._period, worked, self._failures)
        self._due_at = time.monotonic() + pause
        rest = pause if self._failures else min(pause, _REST_PER_WORK * worked)
        if not self._stopping.wait(rest):
            watch.wait(pause - rest)

    def _rebase_for_ever(self) -> None:
        while not self._stopping.wait(_REBASE_EVERY):
            started = time.monotonic()
            try:
                if self.store.rebase_if_due():
                    _log.info("rows rebased", rows=self.store.rows_held, seconds=time.monotonic() - started)
            except EngineDied:
                raise
            except (EngineError, RowsError, OSError) as error:
                _log.error("rebase failed", reason=str(error))

    def _watch(self) -> None:
        while not self._stopping.wait(self._hung_after / _CHECKS_UNTIL_HUNG):
            self.watched()
            self.store.check_engine()
            if self._silent() > self._hung_after:
                raise EngineDied(f"no progress for {self._hung_after:g} s")

    def _silent(self) -> float:
        """Seconds since a refresh should have ended or a load read its last file, whichever is less."""
        return max(0.0, time.monotonic() - max(self._due_at, self.store.progressed_at))

    def _guarded(self, work: Callable[[], None]) -> None:
        """Run `work`; if it ends before `stop`, for whatever reason, the process ends."""
        reason = f"{work.__name__} ended"
        try:
            work()
        except EngineDied as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the process ends with it told
            reason = f"{work.__name__}: {error!r}"
            _log.error("unexpected error", thread=work.__name__, exc_info=error)
        finally:
            if not self._stopping.is_set():
                self._fatal(reason)
