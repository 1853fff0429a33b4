"""Spark's own: what was cached or planned is given back, a commit compiles nothing, a query is one job."""

import gc
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from py4j.java_gateway import JavaObject
from pyspark import SparkFiles
from pyspark.sql import SparkSession

from harness.object_store import copy
from harness.processes import wait_until
from web.committed import NOON, Change, CommittedChanges, changes_table
from wiki_common.store.objects import ObjectPath
from wiki_common.store.place import Place
from wiki_web.data.engines.spark_engine import SparkEngine
from wiki_web.data.queries import KINDS, Kind, Query, Statement
from wiki_web.data.rows import microseconds
from wiki_web.data.store import Store

HOUR = timedelta(hours=1)


def cached(spark: SparkSession) -> int:
    """The tables that Spark keeps in memory."""
    return int(spark.sparkContext._jsc.getPersistentRDDs().size())


def test_rebases_and_loads_give_back_what_was_cached_before(
    committed: CommittedChanges, spark_engine: SparkEngine, spark: SparkSession
) -> None:
    changes = changes_table(Change(NOON - HOUR / 2 + timedelta(milliseconds=n)) for n in range(600))
    committed.close_hour(NOON - 2 * HOUR, [Change(NOON - 1.5 * HOUR)])
    committed.commit(Change(NOON - HOUR / 2))
    for _ in range(3):
        store = Store(committed.data_dir, spark_engine, 24 * HOUR)
        store.refresh()
        for _ in range(3):
            committed.commit_table(changes)
            store.refresh()
            assert store.rebase_if_due()
            assert cached(spark) == 2
    assert store.rows_held == 2 + 9 * 600


def test_a_query_reads_what_it_fixed_after_that_was_given_back(
    committed: CommittedChanges, spark_engine: SparkEngine, spark: SparkSession
) -> None:
    """From the block's file, which goes once nobody asks for it any more."""

    def files() -> set[Path]:
        return set(Path(SparkFiles.getRootDirectory()).glob("*.parquet"))

    committed.commit(Change(NOON))
    store = Store(committed.data_dir, spark_engine, 24 * HOUR)
    store.refresh()
    (before,) = files()
    run = spark_engine.prepare(Statement("SELECT title FROM changes", {}))
    committed.commit_table(changes_table(Change(NOON + timedelta(milliseconds=n)) for n in range(1, 601)))
    store.refresh()
    assert store.rebase_if_due()
    assert cached(spark) == 1
    assert run().num_rows == 1
    assert before in files()
    del run
    assert len(files()) == 1
    assert before not in files()


def read(engine: SparkEngine, spark: SparkSession, after: datetime) -> int:
    """How many hours, blocks and newest rows a query of what came after `after` would read."""
    engine.prepare(Statement("SELECT 1 FROM changes", {}, microseconds(after)))
    return int(spark.table("changes")._jdf.queryExecution().analyzed().collectLeaves().size())


def test_a_query_reads_only_the_blocks_that_it_reaches(
    committed: CommittedChanges, spark_engine: SparkEngine, spark: SparkSession
) -> None:
    """Two blocks of 16,000 rows and a third, which takes up the newest rows until it is full."""
    rows = changes_table([Change(NOON)]).take(pa.array([0] * 33_000))
    place = rows.schema.get_field_index("event_time")
    times = pa.array([NOON - timedelta(milliseconds=number) for number in range(33_000)])
    moved = times.cast(rows.schema.field(place).type)
    committed.commit_table(rows.set_column(place, rows.schema.field(place), moved))
    store = Store(committed.data_dir, spark_engine, 24 * HOUR)
    store.refresh()
    committed.commit_table(changes_table(Change(NOON + timedelta(milliseconds=n)) for n in range(1, 601)))
    store.refresh()
    assert [read(spark_engine, spark, after) for after in (NOON, NOON - timedelta(seconds=33))] == [1, 4]
    assert store.rebase_if_due()
    assert [read(spark_engine, spark, after) for after in (NOON, NOON - timedelta(seconds=33))] == [1, 3]
    assert store.rows_held == 33_600


def compiled(spark: SparkSession) -> int:
    """Classes compiled since the JVM's start."""
    assert spark._jvm is not None
    source = spark._jvm.org.apache.spark.metrics.source.CodegenMetrics
    return int(source.METRIC_COMPILATION_TIME().getCount())


def test_the_same_queries_at_another_commit_compile_nothing_anew(
    committed: CommittedChanges, spark_engine: SparkEngine, spark: SparkSession
) -> None:
    store = Store(committed.data_dir, spark_engine, 24 * HOUR)
    committed.commit(Change(NOON - HOUR / 4))
    before = 0
    for second in range(3):
        committed.commit(Change(NOON + timedelta(seconds=second)))
        store.refresh()
        before = compiled(spark)
        for kind in KINDS:
            store.prepare(Query(kind, HOUR / 2, 20))[2]()
    assert compiled(spark) == before


def known_of_the_jvm() -> int:
    """The JVM's objects that Python knows, each of which the JVM keeps."""
    return sum(isinstance(thing, JavaObject) for thing in gc.get_objects())


@pytest.fixture
def no_collection() -> Iterator[None]:
    """None by itself: what comes soon in a short query comes after hundreds of long ones."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
def test_the_jvm_keeps_no_plan_of_a_query_that_is_answered(
    committed: CommittedChanges, spark_engine: SparkEngine
) -> None:
    committed.commit(Change(NOON))
    store = Store(committed.data_dir, spark_engine, 24 * HOUR)
    store.refresh()
    known = []
    for second in range(4):
        committed.commit(Change(NOON + timedelta(seconds=second)))
        store.refresh()
        store.prepare(Query("top", HOUR / 2, 20))[2]()
        known.append(known_of_the_jvm())
    assert known[1:] == known[:1] * 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_query_is_one_job_or_two_where_more_is_told_of_what_was_chosen(
    committed: CommittedChanges, spark_engine: SparkEngine, spark: SparkSession, kind: Kind
) -> None:
    jobs = 2 if kind in ("top", "unusual") else 1
    committed.commit(Change(NOON))
    store = Store(committed.data_dir, spark_engine, 24 * HOUR)
    store.refresh()
    run = store.prepare(Query(kind, HOUR / 2, 20))[2]
    group = f"a query of {kind}"
    spark.sparkContext.setJobGroup(group, group)
    run()
    told = spark.sparkContext.statusTracker()
    wait_until(
        lambda: len(told.getJobIdsForGroup(group)) >= jobs,
        timeout=30,
        what="the jobs are reported",
        every=0.01,
    )
    assert len(told.getJobIdsForGroup(group)) == jobs


@pytest.mark.parametrize("where", ["batch", "hour", "object"])
def test_rows_that_are_cached_do_not_travel_with_each_task(
    spark_engine: SparkEngine,
    spark: SparkSession,
    committed: CommittedChanges,
    request: pytest.FixtureRequest,
    where: str,
) -> None:
    data_dir: Place = committed.data_dir
    rows = changes_table(Change(NOON - HOUR, comment=f"{n:0100}") for n in range(1000))
    if where == "batch":
        committed.commit_table(rows)
    else:
        committed.close_hour(NOON - HOUR, rows)
    if where == "object":
        folder: ObjectPath = request.getfixturevalue("s3_folder")
        copy(committed.data_dir, folder)
        data_dir = folder
    store = Store(data_dir, spark_engine, 24 * HOUR)
    store.refresh()
    assert store.rows_held == 1000
    spark_engine.prepare(Statement("SELECT comment FROM changes", {}))
    answer = spark.sql("SELECT comment FROM changes")
    (partition,) = answer._jdf.queryExecution().toRdd().partitions()
    assert spark._jvm is not None
    sent = spark._jvm.java.io.ByteArrayOutputStream()
    spark._jvm.java.io.ObjectOutputStream(sent).writeObject(partition)
    assert sent.size() < 10_000
