"""What the files' footers tell: up to when everything is counted, and what nobody watched."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
import structlog

from wiki_common.coverage import Coverage, CoverageUnreadable, Gap
from wiki_common.store.place import Place, readable
from wiki_common.store.several import each_of
from wiki_web.data.gaps import Span, span_of
from wiki_web.data.rows import RowsError, microseconds

_log = structlog.get_logger(__name__)

_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
# A change is some seconds older than the event that tells it: the first ones may lie before watching began.
_LATE_US: Final = 60_000_000


def read_metadata(path: Place) -> pq.FileMetaData:
    """How many rows a file has, and more. Raises FileNotFoundError or RowsError."""
    try:
        return pq.read_metadata(readable(path))
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise RowsError(f"{path}: {error}") from error


def coverage_in(metadata: pq.FileMetaData) -> Coverage:
    """Without anything for a file that says nothing of it: a part, or one of an older version.

    Raises CoverageUnreadable.
    """
    return _of_usual_years(Coverage.of_footer(metadata.metadata))


def _of_usual_years(coverage: Coverage) -> Coverage:
    """Windows are computed from these times, and must not leave the years that there are."""
    moments = [coverage.as_of, *(moment for gap in coverage.gaps for moment in (gap.start, gap.end))]
    for moment in moments:
        try:
            usual = moment is None or moment.astimezone(UTC) >= _EARLIEST
        except OverflowError:
            usual = False
        if not usual:
            raise CoverageUnreadable(f"{moment} is no time of a change")
    return coverage


class CoverageSoFar:
    """Collects what footers tell, those of batches oldest first; one that can't be read tells nothing.

    `hour_ends_us` are the ends of the closed hours: what lies before them was watched, whatever came after.
    """

    def __init__(
        self, as_of_us: int | None = None, gaps: Sequence[Span] = (), hour_ends_us: Sequence[int] = ()
    ) -> None:
        self.as_of_us = as_of_us
        self.gaps = list(gaps)
        self.unreadable = 0
        self._hour_ends_us = hour_ends_us
        self._told = False

    def add(self, files: Sequence[Place]) -> None:
        """The next files in `changes`. Raises FileNotFoundError or RowsError."""
        for coverage in each_of(files, self._read):
            self._told = coverage.as_of is not None
            for gap in coverage.gaps:
                self.gaps.append(span_of(gap, later(self.as_of_us, _closed_before(gap, self._hour_ends_us))))
            if coverage.as_of is not None:
                self.as_of_us = later(self.as_of_us, microseconds(coverage.as_of))

    def add_hours(self, files: Sequence[Place]) -> None:
        """Closed hours' files, which have the gaps of their batches. Raises as `add` does."""
        for coverage in each_of(files, self._read):
            self.gaps += spans_of_hour(coverage, self._hour_ends_us)

    def counted_until(self, newest_us: int | None, committed_at: float) -> int | None:
        """As the last footer tells; without one, the newest change's time, but none after its commit."""
        if self._told:
            return self.as_of_us
        return later(self.as_of_us, not_after(newest_us, committed_at))

    def _read(self, path: Place) -> Coverage:
        try:
            return coverage_in(read_metadata(path))
        except CoverageUnreadable as error:
            _log.warning("coverage can't be read", file=str(path), reason=str(error))
            self.unreadable += 1
            return Coverage()


def spans_of_hour(coverage: Coverage, hour_ends_us: Sequence[int]) -> list[Span]:
    """The gaps in a closed hour's footer, of hours that end at these times."""
    return [span_of(gap, _closed_before(gap, hour_ends_us)) for gap in coverage.gaps]


def _closed_before(gap: Gap, hour_ends_us: Sequence[int]) -> int | None:
    """The end of the last closed hour before the gap's end."""
    last_us = microseconds(gap.end) - _LATE_US
    return max((end_us for end_us in hour_ends_us if end_us < last_us), default=None)


def not_after(event_us: int | None, time: float) -> int | None:
    """The earlier of the two, `time` being in seconds."""
    return None if event_us is None else min(event_us, int(time * 1_000_000))


def later(one: int | None, other: int | None) -> int | None:
    """The later of two times, of which either may be unknown."""
    return max((moment for moment in (one, other) if moment is not None), default=None)
