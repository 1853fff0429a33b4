"""The time line of the days that are kept: changes per hour, and a way to each day."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from wiki_common.volume import HOUR
from wiki_web.data.past.kept import Kept
from wiki_web.data.rows import moment_of
from wiki_web.page.charts import columns, unknown_columns
from wiki_web.page.formats import thousands

_DAY: Final = timedelta(days=1)
_LONGEST: Final = 31 * 24  # hours: of a longer history the last ones are shown


@dataclass(frozen=True)
class Day:
    """A day (UTC) by name, and the address of all of it."""

    name: str
    url: str


@dataclass(frozen=True)
class KeptDays:
    """`bars` and `unknown` are path data in a box of 3 × `hours` by 20, from the hour that begins at `start`.

    `at` is how many hours after it the moment is that the page shows, None while it is live.
    """

    start: datetime
    hours: int
    bars: str
    unknown: str
    at: float | None
    days: tuple[Day, ...]
    summary: str

    @property
    def hour(self) -> int:
        """The whole hours after `start` nearest to the moment, or to now."""
        return self.hours if self.at is None else max(1, round(self.at))

    @property
    def hour_ends(self) -> datetime:
        """When that is."""
        return self.start + self.hour * HOUR


def kept_days(kept: Kept, moment: datetime | None, url: Callable[[datetime], str]) -> KeptDays | None:
    """`url` gives the address of the day that ends at a time. None for a history without any hour."""
    values = kept.per_hour()[-_LONGEST:]
    if not values:
        return None
    end = moment_of(kept.end_us)
    start = end - len(values) * HOUR
    return KeptDays(
        start=start,
        hours=len(values),
        bars=columns(values, max([1, *(value for value in values if value is not None)])),
        unknown=unknown_columns(values),
        at=None if moment is None else min(max((moment - start) / HOUR, 0), len(values)),
        days=tuple(_days(start, end, url)),
        summary=_summary(start, end, values),
    )


def _days(start: datetime, end: datetime, url: Callable[[datetime], str]) -> list[Day]:
    """Those that are over."""
    midnight = start.replace(hour=0) + _DAY
    days = []
    while midnight <= end:
        days.append(Day(f"{midnight - _DAY:%a %d %b}", url(midnight)))
        midnight += _DAY
    return days


def _summary(start: datetime, end: datetime, values: Sequence[int | None]) -> str:
    words = f"Changes per hour from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC: "
    known = [value for value in values if value is not None]
    words += f"between {thousands(min(known))} and {thousands(max(known))}" if known else "not known"
    unknown = len(values) - len(known)
    return f"{words}; {unknown} of {len(values)} hours not known." if known and unknown else f"{words}."
