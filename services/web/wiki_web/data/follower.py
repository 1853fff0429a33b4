"""Which batches appeared in `changes` since the last look: their files are found by name alone.

A batch counts once its file that is no part is there: the parts appeared before it (`RawFile`).
"""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Final

from wiki_common.store.objects import ObjectPath
from wiki_common.store.place import Place
from wiki_common.volume import BatchId, RawFile, date_folder, date_folders, file_names

_DAY: Final = timedelta(days=1)
_MOST_DATES: Final = 8
"""If a batch may have rows of more dates, the store is asked which there are."""


class FolderMoved(Exception):
    """What is there doesn't continue from what was read: read everything from the start."""


@dataclass(frozen=True)
class Commit:
    """The batches after those that were accepted; `files` are relative to `changes`."""

    batch: BatchId  # the newest
    files: tuple[str, ...]
    committed_at: float  # seconds since the epoch, when the newest batch was written


class Follower:
    """Looks at all files at first, then asks for the next batch by its name. Not thread-safe.

    All files are looked at again once in `list_every` seconds while there is no next batch: a new checkpoint
    gives other names, and files may be gone.

    In an object store a list costs more than a question. So the next batch is asked for in the folder of the
    last one's date and of today's, and its parts in those of the dates since the history's end (µs, 0 if
    there is none): a row before that end is written by no batch.
    """

    def __init__(
        self, changes: Place, list_every: float = 0.0, history_end_us: Callable[[], int] = lambda: 0
    ) -> None:
        self._changes = changes
        self._list_every = list_every
        self._history_end_us = history_end_us
        self._date = ""
        self._listed_at = 0.0
        self._accepted: BatchId | None = None
        self._known: dict[str, dict[str, RawFile | None]] = {}

    def commits_after(self, batch: BatchId | None) -> int:
        """How many batches are there that came after `batch`."""
        if isinstance(self._changes, ObjectPath) and batch is not None and self._date:
            numbers = (BatchId(batch.epoch, number) for number in count(batch.number + 1))
            return next(behind for behind, each in enumerate(numbers) if not self._whole_of(each))
        return len({raw.batch for raw in self._list() if not raw.is_part and _is_after(raw.batch, batch)})

    def poll(self) -> Commit | None:
        """What came after what was accepted (at first: all that is there), None if nothing did.

        The same is given again until it is accepted: what fails on the way to the answers isn't lost.
        Raises FolderMoved.
        """
        if self._accepted is not None:
            commit = self._next(self._accepted)
            if commit is not None or time.monotonic() < self._listed_at + self._list_every:
                return commit
        self._listed_at = time.monotonic()
        return self._anything()

    def _next(self, last: BatchId) -> Commit | None:
        """The batches whose numbers follow, as far as they are there."""
        files: list[RawFile] = []
        committed_at = 0.0
        for number in count(last.number + 1):
            batch = BatchId(last.epoch, number)
            found = self._whole_of(batch)
            if not found:
                break
            whole, committed_at = found.popitem()
            # Only now are all of its parts there, and their folders.
            beside = self._dates_beside(whole)
            parts = self._those_there(RawFile(batch, date, is_part=True) for date in beside)
            self._date = whole.date
            files += [*sorted(parts, key=lambda raw: raw.date), whole]
        return _commit(files, committed_at) if files else None

    def _anything(self) -> Commit | None:
        whole = [raw for raw in self._list() if not raw.is_part]
        newest = max(whole, key=lambda raw: raw.batch, default=None)
        if newest is None or newest.batch == self._accepted:
            if newest is None and self._accepted is not None:
                raise FolderMoved(f"{self._changes}: empty, {self._accepted} was read")
            return None
        # What appeared before the newest batch is seen by a second look for certain.
        files = [
            raw for raw in self._list() if raw.batch <= newest.batch and _is_after(raw.batch, self._accepted)
        ]
        self._check_continues(files, newest.batch)
        there = self._those_there([newest])
        if not there:
            raise FolderMoved(f"{newest.name}: removed before it was read")
        ordered = sorted(files, key=lambda raw: (raw.batch, not raw.is_part, raw.date))
        return _commit(ordered, there[newest])

    def accept(self, commit: Commit) -> None:
        """`commit`, from the last poll, is held: go on after it."""
        self._accepted = commit.batch
        self._date = commit.files[-1].partition("/")[0]

    def _check_continues(self, files: list[RawFile], newest: BatchId) -> None:
        """Files whose rows are in the history are deleted: who was behind for long finds a gap."""
        last = self._accepted
        if last is None:
            return
        if newest < last:
            raise FolderMoved(f"{self._changes}: the newest batch is {newest}, {last} was read")
        expected = last.number + 1
        for batch in sorted({raw.batch for raw in files if not raw.is_part}):
            if batch.epoch != last.epoch:
                expected = 0
            if batch.number != expected:
                raise FolderMoved(f"{self._changes}: {batch} does not follow {last}")
            last, expected = batch, batch.number + 1

    def _those_there(self, files: Iterable[RawFile]) -> dict[RawFile, float]:
        """Which of `files` are there, and when each was written (seconds since the epoch)."""
        there = {}
        for raw in files:
            with suppress(FileNotFoundError):
                there[raw] = (self._changes / raw.name).stat().st_mtime
        return there

    def _whole_of(self, batch: BatchId) -> dict[RawFile, float]:
        """Its file that is no part, if it is there."""
        if isinstance(self._changes, ObjectPath) and self._date:
            dates = sorted({self._date, date_folder(datetime.now(UTC))})
        else:
            dates = self._dates()
        return self._those_there(RawFile(batch, date) for date in dates)

    def _dates_beside(self, whole: RawFile) -> list[str]:
        """The folders that the parts of a batch may be in."""
        end_us = self._history_end_us()
        if isinstance(self._changes, ObjectPath) and end_us:
            first = datetime.fromtimestamp(end_us / 1_000_000, UTC).date()
            # A change may be dated some minutes ahead.
            last = date.fromisoformat(whole.date.removeprefix("date=")) + _DAY
            dates = [date_folder(first + days * _DAY) for days in range((last - first).days + 1)]
            if len(dates) <= _MOST_DATES:
                return [each for each in dates if each != whole.date]
        return self._dates()

    def _dates(self) -> list[str]:
        return date_folders(self._changes)

    def _list(self) -> list[RawFile]:
        self._known = {date: self._named(date) for date in self._dates()}
        return [raw for files in self._known.values() for raw in files.values() if raw is not None]

    def _named(self, date: str) -> dict[str, RawFile | None]:
        """Thousands of names at each look: each is taken apart once."""
        known = self._known.get(date, {})
        try:
            names = file_names(self._changes / date)
        except FileNotFoundError:
            names = []
        return {name: known[name] if name in known else RawFile.named(date, name) for name in names}


def _commit(files: list[RawFile], committed_at: float) -> Commit:
    return Commit(files[-1].batch, tuple(raw.name for raw in files), committed_at)


def _is_after(batch: BatchId, other: BatchId | None) -> bool:
    return other is None or batch > other
