"""Spark: closed hours and most of the tail cached in Spark, only the newest rows handed over at each query.

Held rows are `hours` (cached from history's files), `sealed` (cached from the tail read so far) and `newest`
(Arrow tables of this process). Sealing again whenever `newest` has grown by a share of it keeps the cost per
new row constant.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from py4j.protocol import Py4JError
from pyspark import StorageLevel
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as sf

from wiki_web.engines import EngineDied, EngineError, Progress
from wiki_web.queries import Parameter, Statement
from wiki_web.rows import EVENT_US, SCHEMA, STORED, Hour, boundary_of, concat, microseconds

_MIN_NEWEST_ROWS = 2000
_MAX_NEWEST_SHARE = 0.1
# So many rows are counted sooner by one task than by several that have to exchange their counts.
_ONE_TASK_ROWS = 200_000
# Each running query takes all cores for a while; more at once would only make all of them late.
_QUERIES_AT_ONCE = 2


@dataclass(frozen=True)
class _Held:
    """Immutable, so that a prepared query goes on with what it fixed."""

    hours: tuple[Hour, ...]
    hours_frame: DataFrame | None
    hours_rows: int
    sealed: pa.Table
    sealed_frame: DataFrame | None
    newest: tuple[pa.Table, ...]

    @property
    def newest_rows(self) -> int:
        return sum(rows.num_rows for rows in self.newest)


class SparkEngine:
    """A Spark session of its own; SPARK_MASTER says where it computes."""

    def __init__(self, master: str) -> None:
        try:
            self._spark = _session(master)
        except (PySparkException, Py4JError, RuntimeError, OSError) as error:
            raise EngineDied(f"spark can't start: {_first_line(error)}") from error
        self._changing = threading.Lock()
        self._running = threading.BoundedSemaphore(_QUERIES_AT_ONCE)
        self._held = _Held((), None, 0, SCHEMA.empty_table(), None, ())

    @property
    def rows_held(self) -> int:
        held = self._held
        return held.hours_rows + int(held.sealed.num_rows) + held.newest_rows

    def load(self, hours: Sequence[Hour], tail: pa.Table, horizon_us: int, progress: Progress) -> None:
        with _engine_errors(self._spark):
            before = self._held
            # First: the same hours again would be found cached, and then be given back with those before.
            _release(before.hours_frame, before.sealed_frame)
            hours_frame, hours_rows = self._cache_hours(hours, horizon_us)
            progress(len(hours))
            sealed_frame = self._cache_rows(tail)
            with self._changing:
                self._held = _Held(tuple(hours), hours_frame, hours_rows, tail, sealed_frame, ())

    def append(self, rows: pa.Table) -> None:
        with self._changing:
            boundary = boundary_of(self._held.hours)
            # A row of an hour that history has taken over is in the hour's file.
            rows = rows.filter(pc.field(EVENT_US) >= boundary)
            if rows.num_rows:
                self._held = replace(self._held, newest=(*self._held.newest, rows))

    def needs_rebase(self, hours: Sequence[Hour], horizon_us: int) -> bool:
        held = self._held
        share = _MAX_NEWEST_SHARE * held.sealed.num_rows
        return held.newest_rows > max(_MIN_NEWEST_ROWS, share) or _last(hours) != _last(held.hours)

    def rebase(self, hours: Sequence[Hour], horizon_us: int) -> None:
        with _engine_errors(self._spark):
            before = self._held
            hours_frame, hours_rows = before.hours_frame, before.hours_rows
            if _last(hours) != _last(before.hours):
                hours_frame, hours_rows = self._cache_hours(hours, horizon_us)
            from_us = max(boundary_of(hours), horizon_us)
            sealed = concat([before.sealed, *before.newest]).filter(pc.field(EVENT_US) >= from_us)
            sealed_frame = self._cache_rows(sealed)
            with self._changing:
                # What was appended meanwhile may be of an hour that was taken in with its file.
                arrived = self._held.newest[len(before.newest) :]
                newest = tuple(rows.filter(pc.field(EVENT_US) >= from_us) for rows in arrived)
                self._held = _Held(tuple(hours), hours_frame, hours_rows, sealed, sealed_frame, newest)
            _release(None if hours_frame is before.hours_frame else before.hours_frame, before.sealed_frame)

    def prepare(self, statement: Statement) -> Callable[[], pa.Table]:
        with self._changing, _engine_errors(self._spark):
            self._rows(self._held).createOrReplaceTempView("changes")
            arguments = {name: _argument(value) for name, value in statement.parameters.items()}
            answer = self._spark.sql(statement.sql, args=arguments)

        def run() -> pa.Table:
            with self._running, _engine_errors(self._spark):
                return answer.toArrow()

        return run

    def close(self) -> None:
        with _engine_errors(self._spark):
            self._spark.stop()

    def _rows(self, held: _Held) -> DataFrame:
        newest = concat(held.newest)
        frames = [frame for frame in (held.hours_frame, held.sealed_frame) if frame is not None]
        if newest.num_rows or not frames:
            frames.append(self._spark.createDataFrame(newest).coalesce(1))
        rows = frames[0]
        for frame in frames[1:]:
            rows = rows.union(frame)
        return rows.coalesce(1) if self.rows_held <= _ONE_TASK_ROWS else rows

    def _cache_hours(self, hours: Sequence[Hour], horizon_us: int) -> tuple[DataFrame | None, int]:
        wanted = [str(hour.path) for hour in hours if microseconds(hour.end) > horizon_us]
        if not wanted:
            return None, 0
        stored = self._spark.read.parquet(*wanted)
        columns = [
            sf.unix_micros(stored[name]).alias(EVENT_US) if column == EVENT_US else stored[name].alias(column)
            for column, name in STORED.items()
        ]
        frame = (
            stored.select(columns).where(sf.col(EVENT_US) >= horizon_us).persist(StorageLevel.MEMORY_AND_DISK)
        )
        return frame, frame.count()

    def _cache_rows(self, rows: pa.Table) -> DataFrame | None:
        if not rows.num_rows:
            return None
        frame = self._spark.createDataFrame(rows).coalesce(2).persist(StorageLevel.MEMORY_AND_DISK)
        frame.count()
        return frame


def _session(master: str) -> SparkSession:
    log4j = Path(__file__).with_name("log4j2.properties").as_uri()
    builder = (
        SparkSession.builder.master(master)
        .appName("wiki-web")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.ansi.enabled", "true")
        .config("spark.cleaner.periodicGC.interval", "5min")
        # A JVM out of memory is of no use: its end ends the service, and the next start loads again.
        .config(
            "spark.driver.extraJavaOptions", f"-Dlog4j2.configurationFile={log4j} -XX:+ExitOnOutOfMemoryError"
        )
    )
    if master.startswith("local"):
        # The window fits one machine: planning and scheduling, not data, is what a query costs here.
        builder = (
            builder.config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", "1")
            .config("spark.sql.adaptive.enabled", "false")
        )
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


@contextmanager
def _engine_errors(spark: SparkSession) -> Iterator[None]:
    """Spark's and its gateway's errors as EngineError, or as EngineDied once the JVM is gone."""
    try:
        yield
    except (PySparkException, Py4JError, ConnectionError) as error:
        gateway = spark.sparkContext._gateway
        process = getattr(gateway, "proc", None)
        died = process is not None and process.poll() is not None
        raise (EngineDied if died else EngineError)(f"spark: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or repr(error)).splitlines()[0]


def _argument(value: Parameter) -> int | str | Column:
    """Spark takes an array parameter as a column of literals only."""
    return sf.array(*(sf.lit(item) for item in value)) if isinstance(value, list) else value


def _last(hours: Sequence[Hour]) -> Hour | None:
    return hours[-1] if hours else None


def _release(*frames: DataFrame | None) -> None:
    for frame in frames:
        if frame is not None:
            frame.unpersist()
