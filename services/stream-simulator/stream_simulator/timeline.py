"""Which event happens when: a pure, invertible map between an event's index and its stream time."""

from dataclasses import dataclass

BURST_EVERY = 8
"""Every eighth event shares its predecessor's millisecond, as upstream's often do."""


@dataclass(frozen=True)
class Timeline:
    """Event i happens at `start` + i/`rate`, in whole milliseconds since the epoch; never going back."""

    start: int
    rate: int
    """Events per second over all wikis."""
    events: int = 0
    """Number of events; 0 is endless."""

    def time(self, index: int) -> int:
        """When event `index` happens."""
        if index % BURST_EVERY == BURST_EVERY - 1:
            index -= 1
        return self.start + index * 1000 // self.rate

    def first_at(self, time: int) -> int:
        """The first event that does not happen before `time`; the number of events if none does."""
        index = max(0, -(-(time - self.start) * self.rate // 1000))
        if index % BURST_EVERY == BURST_EVERY - 1 and self.time(index) < time:
            index += 1
        return min(index, self.events) if self.events else index

    def ended(self, index: int) -> bool:
        """Whether no event has `index` or a higher one."""
        return self.events > 0 and index >= self.events
