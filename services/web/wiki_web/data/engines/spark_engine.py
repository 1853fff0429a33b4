"""Spark: closed hours and most of the tail cached in Spark, only the newest rows handed over at each commit.

Held rows are `hours` (cached from history's files), `blocks` (cached from the tail read so far) and `newest`
(Arrow tables of this process), which are a part of each query's plan and become a block once they are many.
What is cached is held by Spark alone.
Older hours are `stored`: in history's files alone. A query reads only the hours and blocks that its window
reaches.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial, reduce
from pathlib import Path
from typing import Final

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sf

from wiki_common.settings import LogFormat
from wiki_web.data.engines.engine import EngineDied, Progress, stored_errors
from wiki_web.data.engines.spark_blocks import Block, CachedRows, block_of, cache, cache_rows, handed_over
from wiki_web.data.engines.spark_files import rows_of
from wiki_web.data.engines.spark_held import CachedHour, Held, block_rows_of, rows_from
from wiki_web.data.engines.spark_session import answering, engine_errors, has_died, open_session
from wiki_web.data.engines.stored import MOST_HELD, names_in, no_rows, stored_hours, with_stored
from wiki_web.data.long_queries import MOST_COUNTED
from wiki_web.data.queries import Statement
from wiki_web.data.rows import EVENT_US, SCHEMA, Hour, boundary_of, concat, microseconds, read_rows

_MAX_NEWEST_ROWS = 500
_MAX_NEWEST_SHARE = 0.03  # of a block
# Up to this many rows, one task is faster than several and the exchange between them.
_ONE_TASK_ROWS = 200_000
# Each query uses all cores; more at once would only make all of them slower.
_QUERIES_AT_ONCE = 2
MOST_HANDED_OVER: Final = 128 * 2**20
"""Bytes of an object store's rows for one query: the heap has room for these beside all that may be held."""
_FILES_AT_ONCE = 4


class SparkEngine:
    """A Spark session of its own; SPARK_MASTER says where it computes."""

    def __init__(
        self,
        master: str,
        log_format: LogFormat = "console",
        cluster: Mapping[str, str] | None = None,
        most_held: int = MOST_HELD,
    ) -> None:
        self.most_held, self.most_counted = most_held, MOST_COUNTED
        self._spark = open_session(master, log_format, cluster or {})
        self._changing = threading.Lock()
        self._running = threading.BoundedSemaphore(_QUERIES_AT_ONCE)
        self._held = Held()
        self._shown: list[DataFrame] = []

    @property
    def rows_held(self) -> int:
        held = self._held
        return sum(hour.rows for hour in held.hours) + held.rows_in_blocks + held.newest_rows

    def rows_in_files(self, after_us: int) -> int:
        return self._held.stored.rows_after(after_us)

    def load(self, hours: Sequence[Hour], tail: pa.Table, horizon_us: int, progress: Progress) -> None:
        with engine_errors(self._spark):
            stored = stored_hours(hours, horizon_us, tail.num_rows, self.most_held)
            before = self._held
            # Before anything is cached: hours that are the same would share one cache, which this would drop.
            _release(before.hours)
            _release(before.blocks)
            cached = self._cache_hours(hours, max(horizon_us, stored.boundary_us), progress)
            blocks = self._cache_rows(tail, block_rows_of(tail.num_rows))
            with self._changing:
                self._held = Held(boundary_of(hours), stored, cached, tuple(blocks))

    def append(self, rows: pa.Table) -> None:
        with self._changing, engine_errors(self._spark):
            held = self._held
            # Rows before the boundary are in their hour's file already.
            rows = rows_from(held.boundary_us, rows)
            if rows.num_rows:
                self._held = self._with_newest(held, (*held.newest, rows))

    def needs_rebase(self, hours: Sequence[Hour], horizon_us: int) -> bool:
        held = self._held
        many = max(_MAX_NEWEST_ROWS, _MAX_NEWEST_SHARE * held.block_rows)
        return held.newest_rows > many or boundary_of(hours) != held.boundary_us

    def rebase(self, hours: Sequence[Hour], horizon_us: int) -> None:
        with engine_errors(self._spark):
            before = self._held
            boundary_us = boundary_of(hours)
            tail_rows, until_us = before.rows_since(boundary_us), before.stored.boundary_us
            stored = stored_hours(hours, horizon_us, tail_rows, self.most_held, until_us)
            from_us = max(horizon_us, stored.boundary_us)
            known = {cached.hour for cached in before.hours}
            kept = tuple(cached for cached in before.hours if microseconds(cached.hour.end) > from_us)
            kept += self._cache_hours([hour for hour in hours if hour not in known], from_us)
            blocks = self._rebased(before, boundary_us, horizon_us)
            with self._changing:
                # Rows appended meanwhile may belong to an hour that was just read from its file.
                arrived = self._held.newest[len(before.newest) :]
                newest = tuple(rows_from(boundary_us, rows) for rows in arrived)
                self._held = self._with_newest(Held(boundary_us, stored, kept, blocks), newest)
            _release(hour for hour in before.hours if hour not in kept)
            _release(block for block in before.blocks if block not in blocks)

    def _rebased(self, before: Held, boundary_us: int, horizon_us: int) -> tuple[Block, ...]:
        """Blocks with the newest rows as well, in the last one while that is small; none that is too old."""
        blocks: list[Block] = []
        for block in before.blocks:
            if block.oldest_us >= boundary_us:
                blocks += [block] if block.newest_us > horizon_us else []
            else:
                blocks += self._cache_rows(block.since(boundary_us), before.block_rows)
        newest = concat(rows_from(boundary_us, rows) for rows in before.newest)
        if newest.num_rows and blocks and blocks[-1].rows < before.block_rows:
            newest = concat([blocks.pop().since(boundary_us), newest])
        return (*blocks, *self._cache_rows(newest, before.block_rows))

    def prepare(self, statement: Statement) -> Callable[[], pa.Table]:
        with self._changing, stored_errors(), engine_errors(self._spark):
            held = self._held
            stored = held.stored.reached(statement.after_us)
            if stored and not isinstance(stored[0].path, Path):
                # Read once it runs: that takes a while, and others wait for what prepares.
                return partial(self._with_objects, statement, stored, held)
            self._show(held, statement.after_us, stored)
            return partial(self._run, self._spark.sql(statement.sql, args=_arguments(statement)), held)

    def _run(self, answer: DataFrame, held: Held) -> pa.Table:
        """`held` is what `answer` reads, and its files go once nothing refers to it."""
        with self._running, answering(self._spark):
            return answer.toArrow()

    def compute(self, statement: Statement, hours: Sequence[Hour], rows: pa.Table) -> pa.Table:
        with stored_errors(), answering(self._spark):
            # A single task at a time: other cores are free for what is held.
            changes = self._frame_of(rows, statement, hours).coalesce(1)
            return self._over(changes, statement).toArrow()

    def _with_objects(self, statement: Statement, stored: Sequence[Hour], held: Held) -> pa.Table:
        with self._running, stored_errors(), answering(self._spark):
            names = names_in(statement)
            held_frames, reached = held.reached(statement.after_us)
            frames = [frame.select(names) for frame in held_frames]
            frames.append(self._frame_of(no_rows(names), statement, stored))
            changes = _union(frames, reached + held.stored.rows_after(statement.after_us))
            return self._over(changes, statement).toArrow()

    def _over(self, changes: DataFrame, statement: Statement) -> DataFrame:
        """The statement over `changes` in place of the table, which has only what is held."""
        sql = statement.sql.replace("FROM changes", "FROM {changes} AS changes")
        return self._spark.sql(sql, args=_arguments(statement), changes=changes)

    def _frame_of(self, rows: pa.Table, statement: Statement, hours: Sequence[Hour]) -> DataFrame:
        """`rows` and those in the hours' files, of the columns of `rows`."""
        if hours and not isinstance(hours[0].path, Path):
            # Spark would need Hadoop's S3A for it, and so would its executors.
            files = [hour.path for hour in hours]
            return handed_over(
                self._spark,
                with_stored(rows, statement, files, most_bytes=MOST_HANDED_OVER, at_once=_FILES_AT_ONCE),
            )
        frames = [self._spark.createDataFrame(rows)] if rows.num_rows or not hours else []
        if hours:
            frames.append(rows_of(self._spark, [hour.path for hour in hours]).select(rows.column_names))
        return reduce(DataFrame.union, frames)

    def check(self) -> None:
        if has_died(self._spark):
            raise EngineDied("spark: its JVM has ended")

    def close(self) -> None:
        with engine_errors(self._spark):
            self._spark.stop()

    def _with_newest(self, held: Held, newest: tuple[pa.Table, ...]) -> Held:
        rows = concat(newest)
        frame = self._spark.createDataFrame(rows).coalesce(1) if rows.num_rows else None
        return replace(held, newest=newest, newest_frame=frame)

    def _show(self, held: Held, after_us: int, stored: Sequence[Hour]) -> None:
        """The rows after `after_us` as the table `changes`, and older ones where leaving them out costs more.

        Most queries of a commit read the same.
        """
        frames, reached = held.reached(after_us)
        if stored:
            # Looked at by each query: a file may be written anew meanwhile.
            frames.append(rows_of(self._spark, [hour.path for hour in stored]))
        if frames and frames == self._shown:
            return
        rows = frames or [self._spark.createDataFrame(SCHEMA.empty_table())]
        _union(rows, reached + held.stored.rows_after(after_us)).createOrReplaceTempView("changes")
        self._shown = frames

    def _cache_hours(
        self, hours: Sequence[Hour], horizon_us: int, progress: Progress = lambda done: None
    ) -> tuple[CachedHour, ...]:
        """The hours that end after `horizon_us`, without their rows before it."""
        wanted = [hour for hour in hours if microseconds(hour.end) > horizon_us]
        cached = []
        # An hour is one task.
        with ThreadPoolExecutor(self._spark.sparkContext.defaultParallelism) as pool:
            for hour, rows in zip(
                wanted, pool.map(partial(self._cache_hour, horizon_us), wanted), strict=True
            ):
                cached.append(CachedHour(hour, rows))
                progress(len(hours) - len(wanted) + len(cached))
        return tuple(cached)

    def _cache_hour(self, horizon_us: int, hour: Hour) -> CachedRows:
        if isinstance(hour.path, Path):
            return cache(rows_of(self._spark, [hour.path]).where(sf.col(EVENT_US) >= horizon_us).coalesce(1))
        return cache_rows(self._spark, read_rows([hour.path], from_us=horizon_us))[0]

    def _cache_rows(self, rows: pa.Table, block_rows: int) -> list[Block]:
        """`rows` by time in blocks of so many."""
        rows = rows.sort_by(EVENT_US)
        starts = range(0, rows.num_rows, block_rows)
        return [block_of(self._spark, rows.slice(start, block_rows)) for start in starts]


def _union(frames: Sequence[DataFrame], rows: int) -> DataFrame:
    """Of so many rows."""
    union = reduce(DataFrame.union, frames)
    return union.coalesce(1) if rows <= _ONE_TASK_ROWS else union


def _arguments(statement: Statement) -> dict[str, int | str | Column]:
    """Spark takes an array parameter as a column of literals only."""
    return {
        name: sf.array(*(sf.lit(item) for item in value)) if isinstance(value, list) else value
        for name, value in statement.parameters.items()
    }


def _release(parts: Iterable[CachedHour | Block]) -> None:
    for part in parts:
        part.cached.release()
