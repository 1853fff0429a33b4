"""Which batches appeared in `changes` since the last look: their files are found by name alone.

A batch counts once its file that is no part is there: the parts appeared before it (`RawFile`).
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wiki_common.volume import BatchId, RawFile

_DATE_FOLDER: Final = "date="


class FolderMoved(Exception):
    """What is there doesn't continue from what was read: read everything from the start."""


@dataclass(frozen=True)
class Commit:
    """The batches after those that were accepted; `files` are relative to `changes`."""

    batch: BatchId  # the newest
    files: tuple[str, ...]
    committed_at: float  # seconds since the epoch, when the newest batch was written


class Follower:
    """Looks at all files at first, then only at what is new. Not thread-safe."""

    def __init__(self, changes: Path) -> None:
        self._changes = changes
        self._accepted: BatchId | None = None
        self._known: dict[str, dict[str, RawFile | None]] = {}

    def commits_after(self, batch: BatchId | None) -> int:
        """How many batches are there that came after `batch`."""
        return len({raw.batch for raw in self._list() if not raw.is_part and _is_after(raw.batch, batch)})

    def poll(self) -> Commit | None:
        """What came after what was accepted (at first: all that is there), None if nothing did.

        The same is given again until it is accepted: what fails on the way to the answers isn't lost.
        Raises FolderMoved.
        """
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
        try:
            committed_at = (self._changes / newest.name).stat().st_mtime
        except FileNotFoundError as error:
            raise FolderMoved(f"{error.filename}: removed before it was read") from error
        ordered = sorted(files, key=lambda raw: (raw.batch, not raw.is_part, raw.date))
        return Commit(newest.batch, tuple(raw.name for raw in ordered), committed_at)

    def accept(self, commit: Commit) -> None:
        """`commit`, from the last poll, is held: go on after it."""
        self._accepted = commit.batch

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

    def _list(self) -> list[RawFile]:
        try:
            dates = [name for name in _names(self._changes) if name.startswith(_DATE_FOLDER)]
        except FileNotFoundError:
            dates = []
        self._known = {date: self._named(date) for date in dates}
        return [raw for files in self._known.values() for raw in files.values() if raw is not None]

    def _named(self, date: str) -> dict[str, RawFile | None]:
        """Thousands of names at each look: each is taken apart once."""
        known = self._known.get(date, {})
        try:
            names = _names(self._changes / date)
        except FileNotFoundError:
            names = []
        return {name: known[name] if name in known else RawFile.named(date, name) for name in names}


def _is_after(batch: BatchId, other: BatchId | None) -> bool:
    return other is None or batch > other


def _names(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]
