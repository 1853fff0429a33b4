"""Which hours of the history are kept, which version of each, and what their footers tell."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wiki_common.coverage import Coverage, CoverageUnreadable
from wiki_web.data.footers import read_coverage, spans_of_hour
from wiki_web.data.gaps import Span
from wiki_web.data.rows import Hour, RowsError, boundary_of, closed_hours, microseconds


@dataclass(frozen=True)
class Version:
    """Of an hour's file: another one when it was written anew."""

    written_ns: int
    size: int


@dataclass(frozen=True)
class KeptHour:
    """An hour's file as it was when it was looked at."""

    hour: Hour
    version: Version
    coverage: Coverage


@dataclass(frozen=True)
class Kept:
    """The closed hours, oldest first: all changes before their end."""

    hours: tuple[KeptHour, ...]

    @property
    def end_us(self) -> int:
        """Where the history ends; 0 without any hour."""
        return boundary_of([kept.hour for kept in self.hours])

    @property
    def first_us(self) -> int | None:
        """The start of the first hour."""
        return microseconds(self.hours[0].hour.start) if self.hours else None

    def gaps(self) -> Iterator[Span]:
        """What the hours' footers tell."""
        ends_us = [microseconds(kept.hour.end) for kept in self.hours]
        for kept in self.hours:
            yield from spans_of_hour(kept.coverage, ends_us)

    def between(self, after_us: int, until_us: int) -> tuple[KeptHour, ...]:
        """The hours that reach into (after, until]."""
        return tuple(
            kept
            for kept in self.hours
            if microseconds(kept.hour.end) > after_us and microseconds(kept.hour.start) <= until_us
        )


class KeptHours:
    """Looks at the folder each time; a file's footer is read once. For any thread."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._guard = threading.Lock()
        self._known: dict[Hour, KeptHour] = {}

    def look(self) -> Kept:
        """What is there now. Raises OSError."""
        with self._guard:
            found = [kept for hour in closed_hours(self._data_dir) if (kept := self._kept(hour))]
            self._known = {kept.hour: kept for kept in found}
            return Kept(tuple(found))

    def _kept(self, hour: Hour) -> KeptHour | None:
        """None for one that was deleted just now: the oldest ones are."""
        try:
            found = hour.path.stat()
            version = Version(found.st_mtime_ns, found.st_size)
            known = self._known.get(hour)
            if known is not None and known.version == version:
                return known
            return KeptHour(hour, version, _coverage(hour.path))
        except FileNotFoundError:
            return None


def _coverage(path: Path) -> Coverage:
    """A footer that can't be read tells nothing. Its rows may not be wanted; who reads them will know."""
    try:
        return read_coverage(path)
    except (CoverageUnreadable, RowsError):
        return Coverage()
