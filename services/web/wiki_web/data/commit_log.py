"""The file sink's own log: which Parquet files count, and which are new since the last poll.

Spark writes one file per batch, `N`, and now and then instead `N.compact`, which repeats the whole log
(org.apache.spark.sql.execution.streaming.CompactibleFileStreamLog). Each is `v1`, then one JSON object
per line. They are renamed into place, so a listed file is whole; `.N.….tmp` and `.crc` files don't count.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

_NAME = re.compile(r"(\d+)(\.compact)?")
_VERSION = "v1"


class CommitLogError(Exception):
    """The log can't be read: the file and why."""


class CommitLogMoved(CommitLogError):
    """The log no longer continues what was read: it has to be read from the start."""


class CommitLogAway(CommitLogError):
    """There are changes but no log: the consumer is about to put a new one in place."""


@dataclass(frozen=True)
class _LogFile:
    path: Path
    compact: bool


@dataclass(frozen=True)
class _ReadTo:
    """How far the log was read. The marks, of files and folder, tell whether it is still the same log."""

    batch: int = -1
    batch_mark: tuple[int, int] | None = None
    folder_mark: int | None = None
    listed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Commit:
    """What was committed since the last accepted commit; `files` are relative to the changes folder."""

    batch: int  # the newest
    files: tuple[PurePosixPath, ...]
    committed_at: float  # seconds since the epoch, when the newest batch was committed
    read_to: _ReadTo


class CommitLog:
    """Reads `changes/_spark_metadata` from the start, then only what is new. Not thread-safe."""

    def __init__(self, changes_dir: Path) -> None:
        self._folder = changes_dir / "_spark_metadata"
        self._accepted = _ReadTo()

    def latest_batch(self) -> int:
        """The newest committed batch now, -1 if there is none."""
        try:
            return max(self._list(), default=-1)
        except CommitLogAway:
            return -1

    def poll(self) -> Commit | None:
        """What was committed after what was accepted (at first: the whole log), None if nothing was.

        It is given again until it is accepted, so that nothing is lost where taking it in fails.
        Raises CommitLogMoved, CommitLogAway, or CommitLogError if the log is unreadable.
        """
        folder_mark = self._mark_of_folder()
        log = self._list()
        latest = max(log, default=-1)
        self._check_continues(log, latest, folder_mark)
        if latest == self._accepted.batch:
            return None
        try:
            return self._read(log, latest, folder_mark)
        except FileNotFoundError as error:
            raise CommitLogMoved(f"{error.filename}: removed while the log was read") from error

    def accept(self, commit: Commit) -> None:
        """`commit`, from the last poll, was taken in: go on after it."""
        self._accepted = commit.read_to

    def _read(self, log: dict[int, _LogFile], latest: int, folder_mark: int | None) -> Commit:
        wanted = self._batches_to_read(log, latest)
        listed = set(self._accepted.listed)
        added: list[str] = []
        for batch in wanted:
            paths = _read_log_file(log[batch].path)
            added += [path for path in paths if path not in listed]
            listed = set(paths) if log[batch].compact else listed | set(paths)
        newest = log[latest].path.stat()
        if self._mark_of_folder() != folder_mark:
            raise CommitLogMoved(f"{self._folder}: replaced while it was read")
        read_to = _ReadTo(latest, (newest.st_ino, newest.st_mtime_ns), folder_mark, frozenset(listed))
        return Commit(latest, tuple(_below_changes(path) for path in added), newest.st_mtime, read_to)

    def _batches_to_read(self, log: dict[int, _LogFile], latest: int) -> range:
        if self._accepted.batch >= 0:
            return range(self._accepted.batch + 1, latest + 1)
        start = max((batch for batch, file in log.items() if file.compact), default=0)
        missing = [batch for batch in range(start, latest + 1) if batch not in log]
        if missing:
            raise CommitLogMoved(f"{self._folder}: batch {missing[0]} is missing")
        return range(start, latest + 1)

    def _check_continues(self, log: dict[int, _LogFile], latest: int, folder_mark: int | None) -> None:
        accepted = self._accepted
        if accepted.batch < 0:
            return
        if log and folder_mark != accepted.folder_mark:
            raise CommitLogMoved(f"{self._folder}: another log took its place")
        if latest < accepted.batch:
            raise CommitLogMoved(f"{self._folder}: newest batch is {latest}, {accepted.batch} was read")
        gone = [batch for batch in range(accepted.batch + 1, latest + 1) if batch not in log]
        if gone:
            raise CommitLogMoved(f"{self._folder}: batch {gone[0]} was removed before it was read")
        newest = log.get(accepted.batch)
        if newest is not None and _mark(newest.path) not in (None, accepted.batch_mark):
            raise CommitLogMoved(f"{newest.path}: batch {accepted.batch} was written anew")

    def _mark_of_folder(self) -> int | None:
        try:
            return self._folder.stat().st_ino
        except FileNotFoundError:
            return None

    def _list(self) -> dict[int, _LogFile]:
        try:
            names = [entry.name for entry in self._folder.iterdir()]
        except FileNotFoundError as error:
            if self._folder.parent.exists():
                raise CommitLogAway(f"{self._folder}: missing") from error
            return {}
        log: dict[int, _LogFile] = {}
        for name in names:
            if match := _NAME.fullmatch(name):
                batch, compact = int(match[1]), match[2] is not None
                if compact or batch not in log:
                    log[batch] = _LogFile(self._folder / name, compact)
        return log


def _mark(path: Path) -> tuple[int, int] | None:
    """What tells this file from another of its name; None if it is gone, as after a compaction."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns


def _read_log_file(path: Path) -> list[str]:
    try:
        version, *lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise CommitLogError(f"{path}: {error}") from error
    if version != _VERSION:
        raise CommitLogError(f"{path}: begins with {version[:40]!r}, not {_VERSION}")
    try:
        return [str(json.loads(line)["path"]) for line in lines if line]
    except (ValueError, KeyError, TypeError) as error:
        raise CommitLogError(f"{path}: {error!r}") from error


def _below_changes(uri: str) -> PurePosixPath:
    """`file:///data/changes/date=…/part-….parquet` from `date=` on: the writer's mount may be another."""
    parts = PurePosixPath(unquote(urlsplit(uri).path)).parts
    # The last one: DATA_DIR itself may lie in a folder of such a name.
    start = max((i for i, part in enumerate(parts) if part.startswith("date=")), default=None)
    if start is None or ".." in parts:
        raise CommitLogError(f"{uri}: no date= folder in a logged path")
    return PurePosixPath(*parts[start:])
