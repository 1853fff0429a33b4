"""Heartbeats: records that say how far the stream was read while it had no change for the topic.

They look like upstream's canary events, which readers of the stream are told to discard.
`heartbeat.schema.json` beside this module describes them to others. This module decides, `heart` sends.
Times are ms since the epoch.
"""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from wiki_common.event_time import parse_event_time
from wiki_common.kafka.heartbeat import CANARY_DOMAIN
from wiki_producer.stream.position import Live, Since, just_before, timestamp_of
from wiki_producer.stream.progress import Progress

QUIET_SECONDS: Final = 1.0
MOST_PER_ROUND: Final = 10
_SCHEMA: Final = "/mediawiki/recentchange/1.0.0"
_STREAM: Final = "mediawiki.recentchange"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _TimedMeta(msgspec.Struct, gc=False):
    dt: Any = None


class _Timed(msgspec.Struct, gc=False):
    """The part of any event that says when upstream received it."""

    meta: _TimedMeta


_timed = msgspec.json.Decoder(_Timed)


def received_ms(data: str) -> int | None:
    """When upstream received the event of this text; None if it doesn't tell."""
    try:
        dt = _timed.decode(data).meta.dt
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    seconds = parse_event_time(dt) if isinstance(dt, str) else None
    return None if seconds is None else round(seconds * 1000)


def rfc3339(ms: int) -> str:
    return (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Heartbeat:
    """All changes up to the stream's time `dt_ms`, and up to its position `last_event_id`, were published.

    Or, with `covered_from_ms`: all from there on, and perhaps none of a time before it.
    """

    dt_ms: int
    last_event_id: str
    covered_from_ms: int | None = None

    def value(self) -> bytes:
        """As a record's value, with an id of its own."""
        meta = {
            "id": str(uuid.uuid4()),
            "dt": rfc3339(self.dt_ms),
            "domain": CANARY_DOMAIN,
            "stream": _STREAM,
        }
        return msgspec.json.encode({"$schema": _SCHEMA, "meta": meta})


class Heartbeats:
    """Decides when a heartbeat is due, what it says, and which partitions get it."""

    def __init__(self, now_ms: Callable[[], int], monotonic: Callable[[], float] = time.monotonic) -> None:
        """`now_ms` is the stream's time; an event that is dated ahead of it doesn't speak for the future."""
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._quiet_since = monotonic()
        self._told = ""
        """The last position that a record of ours has."""
        self._dt_ms = 0
        """The last time that a heartbeat had: the next has a later one, or the same. 0: there was none."""
        self._turn = 0

    def published(self, last_event_id: str) -> None:
        """A change with this position has just been published."""
        self._quiet_since = self._monotonic()
        self._told = last_event_id

    def due(self, progress: Progress) -> Heartbeat | None:
        """The heartbeat to be sent now; None while changes are published, or nothing newer was read."""
        if self._monotonic() - self._quiet_since < QUIET_SECONDS:
            return None
        position, told = timestamp_of(progress.last_event_id), timestamp_of(self._told)
        dt_ms = max(self._dt_ms, self._not_ahead(received_ms(progress.last_data) or 0))
        if position is None or dt_ms == 0 or (told is not None and position <= told):
            return None
        return self._noted(Heartbeat(dt_ms, progress.last_event_id))

    def begun(self, point: Live | Since, first_data: str, first_id: str) -> Heartbeat:
        """The heartbeat for a reading that began at `point`, before its first event is published."""
        if isinstance(point, Since):
            covered_from = point.timestamp_ms
        else:
            covered_from = self._not_ahead(received_ms(first_data) or self._now_ms())
        return self._noted(Heartbeat(max(self._dt_ms, covered_from), just_before(first_id), covered_from))

    def turn(self, partitions: Sequence[int]) -> Sequence[int]:
        """The partitions whose turn it is, at most MOST_PER_ROUND."""
        number = min(len(partitions), MOST_PER_ROUND)
        turn, self._turn = self._turn, self._turn + number
        return [partitions[(turn + each) % len(partitions)] for each in range(number)]

    def _noted(self, heartbeat: Heartbeat) -> Heartbeat:
        self.published(heartbeat.last_event_id)
        self._dt_ms = heartbeat.dt_ms
        return heartbeat

    def _not_ahead(self, ms: int) -> int:
        return min(ms, self._now_ms())
