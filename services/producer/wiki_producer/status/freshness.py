"""How long changes take from upstream's receipt to the topic: a histogram of cumulative buckets."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Final

from wiki_common.event_time import parse_event_time

BUCKETS: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0)


class Freshness:
    """Written by kafka-python's thread only; others may read."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` is the stream's time in seconds since the epoch."""
        self._now = now
        self._counts = [0] * (len(BUCKETS) + 1)
        self.sum_seconds = 0.0

    def acknowledged(self, dt: str | None) -> None:
        """A change that upstream received at `dt` (`meta.dt`) is in the topic; ignored if that is no time."""
        received = parse_event_time(dt or "")
        if received is not None:
            seconds = max(0.0, self._now() - received)
            self._counts[bisect_left(BUCKETS, seconds)] += 1
            self.sum_seconds += seconds

    def buckets(self) -> Iterator[tuple[str, float]]:
        """Each upper limit, the last of them +Inf, with the number of changes that took no longer."""
        limits = (*(str(each) for each in BUCKETS), "+Inf")
        return zip(limits, accumulate(self._counts), strict=True)
