"""Which events and requests meet with a fault: every Nth, so that a run can be repeated."""

from dataclasses import dataclass
from enum import Enum


class Fault(Enum):
    """What happens to a connection at an event."""

    CUT = "cut"
    """The response ends cleanly in the middle of the event."""
    RESET = "reset"
    """The event is sent, then the connection is reset."""
    CLOSE = "close"
    """The event is sent, then the response ends cleanly."""
    STALL = "stall"
    """The event is sent, then nothing any more; the connection stays open."""


@dataclass
class Faults:
    """Counts events and requests over all connections since the process started.

    A client that rewinds gets some events again, and these are counted again: it gets further only
    if N is larger than the number of events by which it rewinds.
    """

    cut_every: int = 0
    close_every: int = 0
    reset_every: int = 0
    stall_after: int = 0
    refuse_every: int = 0
    _events: int = 0
    _requests: int = 0

    def take(self, available: int) -> tuple[int, Fault | None]:
        """How many of `available` events to hand out next, and the fault, if any, that follows the last."""
        number, fault = min(
            ((distance, fault) for distance, fault in self._distances() if distance <= available),
            key=lambda pair: pair[0],
            default=(available, None),
        )
        self._events += number
        return number, fault

    def refuses(self) -> bool:
        """Whether to refuse the request that has just come; counts it."""
        self._requests += 1
        return self.refuse_every > 0 and self._requests % self.refuse_every == 0

    def _distances(self) -> list[tuple[int, Fault | None]]:
        distances: list[tuple[int, Fault | None]] = [
            (every - self._events % every, fault)
            for every, fault in (
                (self.cut_every, Fault.CUT),
                (self.reset_every, Fault.RESET),
                (self.close_every, Fault.CLOSE),
            )
            if every
        ]
        if self._events < self.stall_after:
            distances.append((self.stall_after - self._events, Fault.STALL))
        return distances
