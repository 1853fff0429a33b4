"""Which hours of the history are kept, which version of each, and what their footers tell."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from wiki_common.coverage import Coverage, CoverageUnreadable
from wiki_common.store.place import Place
from wiki_common.store.several import each_of
from wiki_common.volume import HOUR
from wiki_web.data.footers import coverage_in, read_metadata, spans_of_hour
from wiki_web.data.gaps import Span, joined, nothing_known
from wiki_web.data.rows import MICROSECOND, Hour, RowsError, boundary_of, closed_hours, microseconds

_SEEN_FOR: Final = 60.0  # seconds
_HOUR_US: Final = HOUR // MICROSECOND


@dataclass(frozen=True)
class Version:
    """Of an hour's file: another one when it was written anew."""

    written_ns: int
    size: int


@dataclass(frozen=True)
class KeptHour:
    """An hour's file when it was looked at. `changes` are of all types; None if it can't be read."""

    hour: Hour
    version: Version
    changes: int | None
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
    def key(self) -> tuple[int, int]:
        """Another one when an hour was closed or deleted."""
        return len(self.hours), self.end_us

    @property
    def first_us(self) -> int | None:
        """The start of the first hour."""
        return microseconds(self.hours[0].hour.start) if self.hours else None

    def gaps(self) -> Iterator[Span]:
        """What the hours' footers tell."""
        ends_us = [microseconds(kept.hour.end) for kept in self.hours]
        for kept in self.hours:
            yield from spans_of_hour(kept.coverage, ends_us)

    def per_hour(self) -> list[int | None]:
        """The changes of each hour from the first to the last, None where nobody watched."""
        if not self.hours:
            return []
        counts = {microseconds(kept.hour.start): kept.changes for kept in self.hours}
        gaps = joined(self.gaps(), -1)

        def without_file(start_us: int) -> int | None:
            return None if nothing_known(gaps, start_us, start_us + _HOUR_US) else 0

        starts_us = range(min(counts), self.end_us, _HOUR_US)
        return [counts.get(start_us, without_file(start_us)) for start_us in starts_us]

    def between(self, after_us: int, until_us: int) -> tuple[KeptHour, ...]:
        """The hours that reach into (after, until]."""
        return tuple(
            kept
            for kept in self.hours
            if microseconds(kept.hour.end) > after_us and microseconds(kept.hour.start) <= until_us
        )


class KeptHours:
    """A file's footer is read once. For any thread; `clock` is monotonic."""

    def __init__(self, data_dir: Place, clock: Callable[[], float] = time.monotonic) -> None:
        self._data_dir = data_dir
        self._clock = clock
        self._guard = threading.Lock()
        self._known: dict[Hour, KeptHour] = {}
        self._seen = Kept(())
        self._seen_at: float | None = None

    def look(self) -> Kept:
        """What is there now. Raises OSError."""
        with self._guard:
            hours = {hour.path: hour for hour in closed_hours(self._data_dir)}
            found = [kept for kept in each_of(list(hours), lambda path: self._kept(hours[path])) if kept]
            self._known = {kept.hour: kept for kept in found}
            self._seen, self._seen_at = Kept(tuple(found)), self._clock()
            return self._seen

    def seen(self) -> Kept:
        """What was there within the last minute, which costs nothing. Raises OSError."""
        if self._seen_at is None or self._clock() - self._seen_at > _SEEN_FOR:
            return self.look()
        return self._seen

    def _kept(self, hour: Hour) -> KeptHour | None:
        """None for one that was deleted just now: the oldest ones are."""
        try:
            found = hour.path.stat()
            version = Version(found.st_mtime_ns, found.st_size)
            known = self._known.get(hour)
            if known is not None and known.version == version and known.changes is not None:
                return known
            return KeptHour(hour, version, *_footer(hour.path))
        except FileNotFoundError:
            return None


def _footer(path: Place) -> tuple[int | None, Coverage]:
    """One that can't be read tells nothing. Its rows may not be wanted; who reads them will know."""
    try:
        metadata = read_metadata(path)
    except RowsError:
        return None, Coverage()
    try:
        return metadata.num_rows, coverage_in(metadata)
    except CoverageUnreadable:
        return metadata.num_rows, Coverage()
