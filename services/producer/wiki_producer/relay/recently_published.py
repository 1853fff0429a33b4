"""The ids published last, so that the events that a reconnect reads again are not published again."""

from collections import deque


class RecentlyPublished:
    """Remembers the last `capacity` ids."""

    def __init__(self, capacity: int) -> None:
        self._order: deque[str] = deque()
        self._ids: set[str] = set()
        self._capacity = capacity

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._ids

    def add(self, event_id: str) -> None:
        """Remember `event_id`, which must be new; the oldest one is forgotten when full."""
        if len(self._order) == self._capacity:
            self._ids.discard(self._order.popleft())
        self._order.append(event_id)
        self._ids.add(event_id)
