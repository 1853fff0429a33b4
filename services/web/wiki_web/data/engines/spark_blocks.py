"""Rows of this process cached in Spark by way of a file, so that nothing else has them in memory.

A frame of an Arrow table keeps that table on the JVM's heap for as long as it lives, cached or not. Executors
on other machines have no such file: for them a frame is of the table all the same.
"""

from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4
from weakref import finalize

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyspark import SparkFiles, StorageLevel
from pyspark.sql import DataFrame, SparkSession

from wiki_common.spark import is_local
from wiki_web.data.engines.spark_files import own_rows_of
from wiki_web.data.rows import EVENT_US, SCHEMA

# In the form that queries read: a serialized cache would be copied by each scan.
_CACHE = StorageLevel.MEMORY_AND_DISK_DESER


@dataclass(frozen=True, eq=False)
class CachedRows:
    """A query reads the file after `release` as well: it stays while anything refers to this."""

    frame: DataFrame
    rows: int

    def release(self) -> None:
        self.frame.unpersist()


@dataclass(frozen=True, eq=False)
class Block:
    """Some of the tail's rows, which follow each other in time."""

    cached: CachedRows
    path: Path
    oldest_us: int
    newest_us: int

    @property
    def rows(self) -> int:
        return self.cached.rows

    def since(self, from_us: int) -> pa.Table:
        """Its rows of `from_us` or later. Raises OSError."""
        return self._read(SCHEMA.names, from_us)

    def count_since(self, from_us: int) -> int:
        """How many rows those are. Raises OSError."""
        if self.oldest_us >= from_us:
            return self.rows
        return int(self._read([EVENT_US], from_us).num_rows) if self.newest_us >= from_us else 0

    def _read(self, names: list[str], from_us: int) -> pa.Table:
        return pq.read_table(self.path, columns=names, filters=ds.field(EVENT_US) >= from_us)


def block_of(spark: SparkSession, rows: pa.Table) -> Block:
    """`rows`, one at least and in the order of their time, cached. Raises OSError."""
    cached, path = cache_rows(spark, rows)
    return Block(cached, path, rows[EVENT_US][0].as_py(), rows[EVENT_US][-1].as_py())


def cache(frame: DataFrame) -> CachedRows:
    """Cached once this returns."""
    frame = frame.persist(_CACHE)
    return CachedRows(frame, frame.count())


def cache_rows(spark: SparkSession, rows: pa.Table) -> tuple[CachedRows, Path]:
    """`rows` cached in one part, and their file, which goes with them. Raises OSError.

    The file is in the folder that Spark deletes when it stops.
    """
    path = Path(SparkFiles.getRootDirectory(), f"{uuid4()}.parquet")
    try:
        pq.write_table(rows, path, compression="zstd")
    except OSError:
        path.unlink(missing_ok=True)
        raise
    here = is_local(str(spark.sparkContext.master))
    cached = cache(own_rows_of(spark, path).coalesce(1) if here else handed_over(spark, rows))
    finalize(cached, path.unlink, missing_ok=True)
    return cached, path


def handed_over(spark: SparkSession, rows: pa.Table) -> DataFrame:
    """In one part. Without the exchange its task would carry these rows with it, at each query anew."""
    return spark.createDataFrame(rows).repartition(1)
