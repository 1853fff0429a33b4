"""How others read `changes`, who know nothing of us: every file below it, with what they have."""

from collections import Counter
from pathlib import Path

import duckdb
import pyarrow.dataset as ds
from pyspark.sql import SparkSession


def with_duckdb(changes: Path) -> Counter[str]:
    """How often it sees each event_id."""
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT event_id, count(*) FROM '{changes}/**/*.parquet' GROUP BY ALL"  # noqa: S608
        ).fetchall()
    return Counter(dict(rows))


def with_pyarrow(changes: Path) -> Counter[str]:
    rows = ds.dataset(changes, format="parquet", partitioning="hive").to_table(columns=["event_id", "date"])
    return Counter(rows["event_id"].to_pylist())


def with_spark(spark: SparkSession, changes: Path) -> Counter[str]:
    return Counter(row.event_id for row in spark.read.parquet(str(changes)).select("event_id").collect())
