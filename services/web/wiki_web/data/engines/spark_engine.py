"""Spark: closed hours and most of the tail cached in Spark, only the newest rows handed over at each commit.

Held rows are `hours` (cached from history's files), `sealed` (cached from the tail read so far) and `newest`
(Arrow tables of this process). Sealing again whenever `newest` has grown by a share of it keeps the cost per
new row constant. A query reads only the hours that its window reaches.
"""

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sf
from pyspark.sql.types import StructType

from wiki_common.settings import LogFormat
from wiki_web.data.engines.engine import EngineDied, Progress
from wiki_web.data.engines.spark_session import engine_errors, has_died, open_session
from wiki_web.data.queries import Parameter, Statement
from wiki_web.data.rows import EVENT_US, SCHEMA, STORED, Hour, boundary_of, concat, microseconds
from wiki_web.data.titles import CONTROLS, DIRECTION_MARKS

_MIN_NEWEST_ROWS = 2000
_MAX_NEWEST_SHARE = 0.1
# Up to this many rows, one task is faster than several and the exchange between them.
_ONE_TASK_ROWS = 200_000
# Each query uses all cores; more at once would only make all of them slower.
_QUERIES_AT_ONCE = 2
# In the form that queries read: a serialized cache would be copied by each scan.
_CACHE = StorageLevel.MEMORY_AND_DISK_DESER
# Handed-over rows lie on the JVM's heap until they are cached, in part on disk: not too many at once.
_SEALED_AT_ONCE = 100_000


@dataclass(frozen=True)
class _CachedHour:
    hour: Hour
    frame: DataFrame
    rows: int


@dataclass(frozen=True)
class _Held:
    """Immutable, so that a prepared query goes on with what it fixed. `boundary_us` is where history ends."""

    boundary_us: int = 0
    hours: tuple[_CachedHour, ...] = ()
    sealed: pa.Table = field(default_factory=SCHEMA.empty_table)
    sealed_frames: tuple[DataFrame, ...] = ()
    newest: tuple[pa.Table, ...] = ()
    newest_frame: DataFrame | None = None

    @property
    def newest_rows(self) -> int:
        return sum(rows.num_rows for rows in self.newest)


class SparkEngine:
    """A Spark session of its own; SPARK_MASTER says where it computes."""

    def __init__(self, master: str, log_format: LogFormat = "console") -> None:
        self._spark = open_session(master, log_format)
        self._changing = threading.Lock()
        self._running = threading.BoundedSemaphore(_QUERIES_AT_ONCE)
        self._held = _Held()

    @property
    def rows_held(self) -> int:
        held = self._held
        return sum(hour.rows for hour in held.hours) + int(held.sealed.num_rows) + held.newest_rows

    def load(self, hours: Sequence[Hour], tail: pa.Table, horizon_us: int, progress: Progress) -> None:
        with engine_errors(self._spark):
            before = self._held
            # Before caching: else Spark would share the cache of hours that are the same, and lose it here.
            _release(hour.frame for hour in before.hours)
            _release(before.sealed_frames)
            cached = self._cache_hours(hours, horizon_us, progress)
            sealed_frames = self._cache_rows(tail)
            with self._changing:
                self._held = _Held(boundary_of(hours), cached, tail, sealed_frames)

    def append(self, rows: pa.Table) -> None:
        with self._changing, engine_errors(self._spark):
            held = self._held
            # Rows before the boundary are in their hour's file already.
            rows = rows.filter(pc.field(EVENT_US) >= held.boundary_us)
            if rows.num_rows:
                self._held = self._with_newest(held, (*held.newest, rows))

    def needs_rebase(self, hours: Sequence[Hour], horizon_us: int) -> bool:
        held = self._held
        share = _MAX_NEWEST_SHARE * held.sealed.num_rows
        return held.newest_rows > max(_MIN_NEWEST_ROWS, share) or boundary_of(hours) != held.boundary_us

    def rebase(self, hours: Sequence[Hour], horizon_us: int) -> None:
        with engine_errors(self._spark):
            before = self._held
            known = {cached.hour for cached in before.hours}
            kept = tuple(cached for cached in before.hours if microseconds(cached.hour.end) > horizon_us)
            kept += self._cache_hours([hour for hour in hours if hour not in known], horizon_us)
            from_us = max(boundary_of(hours), horizon_us)
            sealed = concat([before.sealed, *before.newest]).filter(pc.field(EVENT_US) >= from_us)
            sealed_frames = self._cache_rows(sealed)
            with self._changing:
                # Rows appended meanwhile may belong to an hour that was just read from its file.
                arrived = self._held.newest[len(before.newest) :]
                newest = tuple(rows.filter(pc.field(EVENT_US) >= from_us) for rows in arrived)
                held = _Held(boundary_of(hours), kept, sealed, sealed_frames)
                self._held = self._with_newest(held, newest)
            _release(cached.frame for cached in before.hours if cached not in kept)
            _release(before.sealed_frames)

    def prepare(self, statement: Statement) -> Callable[[], pa.Table]:
        with self._changing, engine_errors(self._spark):
            self._rows(self._held, statement.after_us).createOrReplaceTempView("changes")
            arguments = {name: _argument(value) for name, value in statement.parameters.items()}
            answer = self._spark.sql(statement.sql, args=arguments)

        def run() -> pa.Table:
            with self._running, engine_errors(self._spark):
                return answer.toArrow()

        return run

    def check(self) -> None:
        if has_died(self._spark):
            raise EngineDied("spark: its JVM has ended")

    def close(self) -> None:
        with engine_errors(self._spark):
            self._spark.stop()

    def _with_newest(self, held: _Held, newest: tuple[pa.Table, ...]) -> _Held:
        rows = concat(newest)
        frame = self._spark.createDataFrame(rows).coalesce(1) if rows.num_rows else None
        return replace(held, newest=newest, newest_frame=frame)

    def _rows(self, held: _Held, after_us: int) -> DataFrame:
        """All rows after `after_us`, and older ones where leaving them out would cost more."""
        hours = [cached for cached in held.hours if microseconds(cached.hour.end) > after_us]
        frames = [*(cached.frame for cached in hours), *held.sealed_frames]
        if held.newest_frame is not None:
            frames.append(held.newest_frame)
        if not frames:
            return self._spark.createDataFrame(SCHEMA.empty_table())
        rows = reduce(DataFrame.union, frames)
        held_rows = sum(cached.rows for cached in hours) + held.sealed.num_rows + held.newest_rows
        return rows.coalesce(1) if held_rows <= _ONE_TASK_ROWS else rows

    def _cache_hours(
        self, hours: Sequence[Hour], horizon_us: int, progress: Progress = lambda done: None
    ) -> tuple[_CachedHour, ...]:
        """The hours that end after `horizon_us`, without their rows before it."""
        wanted = [hour for hour in hours if microseconds(hour.end) > horizon_us]
        if not wanted:
            return ()
        schema = self._spark.read.parquet(_without_patterns(wanted[-1].path)).schema
        frames = [self._hour_frame(hour, schema, horizon_us) for hour in wanted]
        cached = []
        # An hour is one task.
        with ThreadPoolExecutor(self._spark.sparkContext.defaultParallelism) as pool:
            for hour, frame, rows in zip(wanted, frames, pool.map(DataFrame.count, frames), strict=True):
                cached.append(_CachedHour(hour, frame, rows))
                progress(len(hours) - len(wanted) + len(cached))
        return tuple(cached)

    def _hour_frame(self, hour: Hour, schema: StructType, horizon_us: int) -> DataFrame:
        stored = self._spark.read.schema(schema).parquet(_without_patterns(hour.path))
        columns = [_read(stored[name], column).alias(column) for column, name in STORED.items()]
        rows = stored.select(columns).where(sf.col(EVENT_US) >= horizon_us).coalesce(1)
        return rows.persist(_CACHE)

    def _cache_rows(self, rows: pa.Table) -> tuple[DataFrame, ...]:
        """The exchange cuts what is cached off from the handed-over rows: each task would carry them."""
        frames = []
        for start in range(0, rows.num_rows, _SEALED_AT_ONCE):
            part = self._spark.createDataFrame(rows.slice(start, _SEALED_AT_ONCE)).repartition(1)
            frame = part.persist(_CACHE)
            frame.count()
            frames.append(frame)
        return tuple(frames)


def _without_patterns(path: Path) -> str:
    """`path` for Spark's reader, which takes patterns: a folder may be named `data [1]`."""
    return re.sub(r"([\\{}\[\]*?])", r"\\\1", str(path))


def _read(stored: Column, column: str) -> Column:
    """As rows.read_rows reads it."""
    if column == EVENT_US:
        return sf.unix_micros(stored)
    if SCHEMA.field(column).type != pa.string():
        return stored
    text = sf.make_valid_utf8(stored)
    if column == "title":
        text = sf.trim(sf.translate(text, f"_{DIRECTION_MARKS}{CONTROLS}", " "))
    return sf.coalesce(text, sf.lit("")) if column in ("event_id", "title") else text


def _argument(value: Parameter) -> int | str | Column:
    """Spark takes an array parameter as a column of literals only."""
    return sf.array(*(sf.lit(item) for item in value)) if isinstance(value, list) else value


def _release(frames: Iterable[DataFrame]) -> None:
    for frame in frames:
        frame.unpersist()
