"""What was handed to kafka-python and is not acknowledged yet: the measure of back-pressure."""

from dataclasses import dataclass
from typing import Final

MOST_RECORDS: Final = 20_000
MOST_BYTES: Final = 64 * 1024 * 1024


@dataclass
class InFlight:
    """kafka-python's thread writes the numbers that end in `acknowledged`, the event loop's the others.

    Bytes are those of the values.
    """

    published: int = 0
    bytes_published: int = 0
    rejections_published: int = 0
    acknowledged: int = 0
    bytes_acknowledged: int = 0
    rejections_acknowledged: int = 0

    @property
    def records(self) -> int:
        return self.published - self.acknowledged

    @property
    def bytes(self) -> int:
        return self.bytes_published - self.bytes_acknowledged

    @property
    def rejections(self) -> int:
        """Records for the topic of rejected events."""
        return self.rejections_published - self.rejections_acknowledged

    @property
    def full(self) -> bool:
        return self.records >= MOST_RECORDS or self.bytes >= MOST_BYTES

    def within(self, records: int, size: int) -> bool:
        """Whether at most so many records with at most so many bytes are in flight, and no rejection is."""
        return self.records <= records and self.bytes <= size and self.rejections == 0
