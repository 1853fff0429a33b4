"""Positions in the stream: the SSE ids of upstream, and where to resume from them.

An id is a JSON array with an entry per partition of upstream's own topics, `{topic, partition, timestamp}` or
`{topic, partition, offset: -1}` (https://github.com/wikimedia/KafkaSSE). Times are ms since the epoch.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final, TypeGuard

import msgspec
from msgspec import Meta

from wiki_common.event_time import LAST_SECOND

# Upstream sends timestamp + 1 ms, so events of one millisecond would be skipped by resuming exactly there.
REWIND_MS: Final = 2_000
SHORTEST_REWIND_MS: Final = 2


class Entry(msgspec.Struct, omit_defaults=True, frozen=True):
    """The position within one partition of upstream's topics."""

    topic: str
    partition: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    timestamp: Annotated[int, Meta(ge=0, le=LAST_SECOND * 1000 + 999)] | None = None
    offset: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None


class UnreadablePosition(Exception):
    """An id that names no time."""


@dataclass(frozen=True)
class Position:
    """A point in the stream: at least one of `entries` has a timestamp."""

    entries: tuple[Entry, ...]

    @property
    def timestamp(self) -> int:
        """The newest time seen at this point. Entries of idle partitions may lie far behind it."""
        return max(entry.timestamp for entry in self.entries if entry.timestamp is not None)

    @property
    def oldest_timestamp(self) -> int:
        """The time of the entry that lies furthest back."""
        return min(entry.timestamp for entry in self.entries if entry.timestamp is not None)

    def rewound(self, by_ms: int) -> "Position":
        """The same point `by_ms` earlier.

        An entry that names no position (offset −1: nothing was seen from that partition yet) gets the point's
        time. Resumed at the partition's end instead, it would skip what the partition received meanwhile.
        """
        return Position(tuple(self._rewound(entry, by_ms) for entry in self.entries))

    def _rewound(self, entry: Entry, by_ms: int) -> Entry:
        if entry.timestamp is None and entry.offset is not None and entry.offset >= 0:
            return entry
        at = self.timestamp if entry.timestamp is None else entry.timestamp
        return Entry(entry.topic, entry.partition, timestamp=max(0, at - by_ms))

    def last_event_id(self) -> str:
        """The point in the form of the header Last-Event-ID."""
        return msgspec.json.encode(self.entries).decode()


_decoder = msgspec.json.Decoder(tuple[Entry, ...])


def parse_position(last_event_id: str | bytes) -> Position:
    """The point that an SSE id names. UnreadablePosition if it names none."""
    try:
        entries = _decoder.decode(last_event_id)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise UnreadablePosition(f"{error}: {last_event_id[:200]!r}") from None
    if all(entry.timestamp is None for entry in entries):
        raise UnreadablePosition(f"no timestamp: {last_event_id[:200]!r}")
    return Position(entries)


def timestamp_of(last_event_id: str) -> int | None:
    """The time of an SSE id in ms; None if it names none."""
    try:
        return parse_position(last_event_id).timestamp
    except UnreadablePosition:
        return None


def just_before(last_event_id: str) -> str:
    """The SSE id of a point before the event of `last_event_id`; the same if that names no time."""
    try:
        return parse_position(last_event_id).rewound(SHORTEST_REWIND_MS).last_event_id()
    except UnreadablePosition:
        return last_event_id


def oldest(positions: Iterable[Position]) -> Position:
    """The position with the earliest time; of several that differ in a lagging partition, the one behind."""
    return min(positions, key=lambda position: (position.timestamp, position.oldest_timestamp))


@dataclass(frozen=True)
class Live:
    """Read from now on."""


@dataclass(frozen=True)
class After:
    """Resume with a Last-Event-ID."""

    position: Position


@dataclass(frozen=True)
class Since:
    """Resume at a time. What lies between `gap_from_ms` and it is given up; None: no gap is known.

    `continues` says that nothing before it is missing: it stands in for a position.
    """

    timestamp_ms: int
    gap_from_ms: int | None = None
    continues: bool = False


ResumePoint = Live | After | Since


def begins_anew(point: ResumePoint) -> TypeGuard[Live | Since]:
    """Whether events before `point` may be missing among those that were read."""
    return isinstance(point, Live) or (isinstance(point, Since) and not point.continues)


def resume_after(
    position: Position, *, now_ms: int, max_age_ms: int, rewind_ms: int = REWIND_MS
) -> After | Since:
    """Resume at `position`, rewound, or `max_age_ms` before now if `position` is older than that."""
    earliest = now_ms - max_age_ms
    if position.timestamp < earliest:
        return Since(earliest, gap_from_ms=position.timestamp)
    return After(position.rewound(rewind_ms))
