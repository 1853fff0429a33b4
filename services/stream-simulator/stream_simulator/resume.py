"""Where a request starts to read: Last-Event-ID, `since`, or now."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from stream_simulator.timeline import Timeline

TOPIC = "eqiad.mediawiki.recentchange"
"""The topic that has the events; its twin of the other data centre, codfw, is empty."""

HISTORY = 7 * 24 * 3600 * 1000
"""How far back events can be read, in ms: about 7 days upstream."""


class InvalidPosition(ValueError):
    """A position that can't be read, with the reason; upstream answers 400."""


def first_index(timeline: Timeline, now: int, *, last_event_id: str, since: str) -> int:
    """The index of the first event to send at `now` (ms). Empty texts are absent; raises InvalidPosition.

    `since` counts only where Last-Event-ID assigns nothing. As upstream, what follows begins with the first
    event at the id's time or later; an id is 1 ms later than its event, so other events of that event's
    millisecond are skipped.
    """
    oldest = timeline.first_at(now - HISTORY)
    assignments = _assignments(last_event_id) if last_event_id else []
    if assignments:
        return max(oldest, _assigned(timeline, assignments, now))
    if since:
        return max(oldest, timeline.first_at(_milliseconds(since)))
    return timeline.first_at(now)


def _assignments(last_event_id: str) -> list[Mapping[str, Any]]:
    try:
        assignments = json.loads(last_event_id)
    except ValueError:
        raise InvalidPosition(f"Last-Event-ID is not JSON: {last_event_id[:200]}") from None
    if not isinstance(assignments, list) or not all(isinstance(entry, dict) for entry in assignments):
        raise InvalidPosition(f"Last-Event-ID is not an array of assignments: {last_event_id[:200]}")
    return assignments


def _assigned(timeline: Timeline, assignments: list[Mapping[str, Any]], now: int) -> int:
    positions = [_position(timeline, entry, now) for entry in assignments]
    ours = [
        position for entry, position in zip(assignments, positions, strict=True) if entry["topic"] == TOPIC
    ]
    if not ours:
        raise InvalidPosition(f"Last-Event-ID has no assignment for the topic {TOPIC}")
    return min(ours)


def _position(timeline: Timeline, entry: Mapping[str, Any], now: int) -> int:
    match entry:
        case {"topic": str(), "partition": int(), "timestamp": int(timestamp)}:
            return timeline.first_at(timestamp)
        case {"topic": str(), "partition": int(), "offset": int(offset)}:
            return offset if offset >= 0 else timeline.first_at(now)
    raise InvalidPosition(
        f"Last-Event-ID has an assignment without topic, partition and timestamp or offset: {entry}"
    )


def _milliseconds(since: str) -> int:
    if since.isascii() and since.isdigit():
        return int(since)
    try:
        date = datetime.fromisoformat(since)
    except ValueError:
        raise InvalidPosition(f"since is neither milliseconds nor an ISO 8601 date: {since[:200]}") from None
    return int((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() * 1000)
