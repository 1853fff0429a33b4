"""What has happened so far: plain numbers, each written by one thread only."""

from collections import Counter
from dataclasses import dataclass, field

from wiki_producer.decide import DropReason, RejectReason


@dataclass
class Counts:
    """kafka-python's thread writes `acknowledged` and `acknowledged_bytes`, the event loop's all else."""

    read: int = 0
    kept: int = 0
    already_published: int = 0
    error_events: int = 0
    dropped: Counter[DropReason] = field(default_factory=Counter)
    rejected: Counter[RejectReason] = field(default_factory=Counter)
    reconnects: Counter[str] = field(default_factory=Counter)
    published: int = 0
    published_bytes: int = 0
    acknowledged: int = 0
    acknowledged_bytes: int = 0
    last_event_id: str = ""

    @property
    def in_flight(self) -> int:
        """Records handed to kafka-python that no broker has acknowledged yet."""
        return self.published - self.acknowledged

    @property
    def in_flight_bytes(self) -> int:
        return self.published_bytes - self.acknowledged_bytes
