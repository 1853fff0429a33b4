"""Spark's own: what is cached is given back, so that memory stays the same for ever."""

from datetime import timedelta

from pyspark.sql import SparkSession

from web.committed import NOON, Change, CommittedChanges, changes_table
from wiki_web.data.engines.spark_engine import SparkEngine
from wiki_web.data.store import Store

HOUR = timedelta(hours=1)


def cached(spark: SparkSession) -> int:
    """The tables that Spark keeps in memory."""
    return int(spark.sparkContext._jsc.getPersistentRDDs().size())


def test_rebases_and_loads_give_back_what_was_cached_before(
    committed: CommittedChanges, spark_engine: SparkEngine, spark: SparkSession
) -> None:
    changes = changes_table(Change(NOON - HOUR / 2 + timedelta(milliseconds=n)) for n in range(2100))
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
    assert store.rows_held == 2 + 9 * 2100
