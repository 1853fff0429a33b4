"""When each event was where: moments of the watchers put together, and their percentiles.

All moments are seconds since the epoch: everything runs on one machine, so on one clock.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import quantiles
from typing import NamedTuple

STAGES = ("stream → topic", "topic → commit", "commit → answer", "answer → browser")


class Incomplete(Exception):
    """An event that was to be measured is missing somewhere, so that no figure would be true."""


class Arrival(NamedTuple):
    """An event that counts, seen in the topic."""

    id: str
    moment: float


class Sighting(NamedTuple):
    """A total that was seen: so many events were counted at `moment`."""

    moment: float
    total: int


@dataclass(frozen=True)
class Passage:
    """One event's way: `moments` are when it was handed out, and the end of each of STAGES."""

    moments: tuple[float, ...]

    @property
    def stages(self) -> tuple[float, ...]:
        """Seconds of each of STAGES; their sum is `seconds`."""
        return tuple(later - earlier for earlier, later in pairwise(self.moments))

    @property
    def seconds(self) -> float:
        """From handing out to the browser."""
        return self.moments[-1] - self.moments[0]


@dataclass(frozen=True)
class Watched:
    """What was seen of a run, each at its place: `topic` in the topic's order, from its beginning."""

    handed_out: Mapping[str, float]
    topic: Sequence[Arrival]
    committed: Mapping[str, float]
    answers: Sequence[Sighting]
    pages: Sequence[Sighting]


class Percentiles(NamedTuple):
    p50: float
    p95: float
    p99: float


def percentiles(values: Sequence[float]) -> Percentiles:
    """Of one value it is that value. Raises StatisticsError for none."""
    cuts = quantiles(values if len(values) > 1 else [*values, *values], n=100, method="inclusive")
    return Percentiles(cuts[49], cuts[94], cuts[98])


def first_reaching(sightings: Sequence[Sighting], count: int) -> Iterator[float | None]:
    """For each number from 1 to `count`: when a total was first that high; None if it never was."""
    place = 0
    for number in range(1, count + 1):
        while place < len(sightings) and sightings[place].total < number:
            place += 1
        yield sightings[place].moment if place < len(sightings) else None


def passages(watched: Watched, start: float, end: float) -> list[Passage]:
    """The ways of the events that were handed out from `start` on and before `end`. Raises Incomplete.

    The topic has one partition, so every part takes the events in its order: event number k is counted once
    a total has reached k.
    """
    found = []
    count = len(watched.topic)
    counted = zip(
        watched.topic,
        first_reaching(watched.answers, count),
        first_reaching(watched.pages, count),
        strict=True,
    )
    missed = None
    for number, (arrival, answered, shown) in enumerate(counted, 1):
        handed_out, committed = watched.handed_out[arrival.id], watched.committed.get(arrival.id)
        if committed is None:
            missed = missed or number
        if not start <= handed_out < end:
            continue
        if missed is not None or committed is None or answered is None or shown is None:
            raise Incomplete(
                f"event {number} ({arrival.id}): committed {committed}, answered {answered}, shown {shown};"
                f" first event without a commit: {missed}"
            )
        found.append(Passage((handed_out, *_in_order(arrival.moment, committed, answered, shown))))
    if not found:
        raise Incomplete("no event that counts was handed out while it was measured")
    return found


def _in_order(*moments: float) -> tuple[float, ...]:
    """A watcher may see a thing late: that it is further on proves that it was there by then."""
    return tuple(min(moments[place:]) for place in range(len(moments)))
