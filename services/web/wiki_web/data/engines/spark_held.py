"""What Spark's engine holds: closed hours, blocks of the tail, and the newest rows."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from wiki_web.data.engines.spark_blocks import Block, CachedRows
from wiki_web.data.engines.stored import NONE_STORED, StoredHours
from wiki_web.data.rows import EVENT_US, Hour, microseconds

# A window reads some rows too many with large blocks, and has a longer plan with small ones.
_MIN_BLOCK_ROWS = 16_000
_MOST_BLOCKS = 8
# While a block is made its rows lie in this process as well, on a cluster on the JVM's heap: not too many.
_MOST_BLOCK_ROWS = 100_000


@dataclass(frozen=True)
class CachedHour:
    hour: Hour
    cached: CachedRows

    @property
    def rows(self) -> int:
        return self.cached.rows


@dataclass(frozen=True)
class Held:
    """Immutable, so that a prepared query goes on with what it fixed. `boundary_us` is where history ends."""

    boundary_us: int = 0
    stored: StoredHours = NONE_STORED
    hours: tuple[CachedHour, ...] = ()
    blocks: tuple[Block, ...] = ()
    newest: tuple[pa.Table, ...] = ()
    newest_frame: DataFrame | None = None

    @property
    def rows_in_blocks(self) -> int:
        return sum(block.rows for block in self.blocks)

    @property
    def newest_rows(self) -> int:
        return sum(rows.num_rows for rows in self.newest)

    @property
    def block_rows(self) -> int:
        """How large a block may grow."""
        return block_rows_of(self.rows_in_blocks)

    def reached(self, after_us: int) -> tuple[list[DataFrame], int]:
        """What has the held rows after `after_us`, and how many rows that has."""
        hours = [hour for hour in self.hours if microseconds(hour.hour.end) > after_us]
        blocks = [block for block in self.blocks if block.newest_us > after_us]
        cached = [hour.cached for hour in hours] + [block.cached for block in blocks]
        frames = [part.frame for part in cached]
        if self.newest_frame is not None:
            frames.append(self.newest_frame)
        return frames, sum(part.rows for part in cached) + self.newest_rows

    def rows_since(self, from_us: int) -> int:
        """Rows of no cached hour, of `from_us` or later."""
        newest = sum(int(rows_from(from_us, rows).num_rows) for rows in self.newest)
        return sum(block.count_since(from_us) for block in self.blocks) + newest


def block_rows_of(rows: int) -> int:
    """How large a block of so many rows in all may grow."""
    return min(max(_MIN_BLOCK_ROWS, rows // _MOST_BLOCKS), _MOST_BLOCK_ROWS)


def rows_from(from_us: int, rows: pa.Table) -> pa.Table:
    return rows.filter(pc.field(EVENT_US) >= from_us)
