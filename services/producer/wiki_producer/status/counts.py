"""What has happened to the events so far, for the metrics and the last line of the log."""

from collections import Counter
from dataclasses import dataclass, field

from wiki_producer.relay.decide import DropReason, RejectReason


@dataclass
class Counts:
    """Written by the event loop's thread only."""

    kept: int = 0
    already_published: int = 0
    error_events: int = 0
    other_events: int = 0
    heartbeats: int = 0
    dropped: Counter[DropReason] = field(default_factory=Counter)
    rejected: Counter[RejectReason] = field(default_factory=Counter)
    reconnects: Counter[str] = field(default_factory=Counter)
