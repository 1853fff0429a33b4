"""The sink's log as a real Spark writes it: compactions, retention, and what a crash leaves."""

import json
from datetime import timedelta
from pathlib import Path, PurePosixPath

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from web.committed import NOON, Change, changes_table
from wiki_web.data.commit_log import CommitLog
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.rows import read_rows
from wiki_web.data.store import Store

COMPACT_EVERY = "3"


class SparkSink:
    """A streaming query with the consumer's kind of sink; each `commit` is one batch."""

    def __init__(self, spark: SparkSession, root: Path, retention: str | None = None) -> None:
        self.changes_dir = root / "data" / "changes"
        self._spark = spark
        self._source = root / "source"
        self._checkpoint = root / "checkpoint"
        self._retention = {"retention": retention} if retention else {}
        self._source.mkdir()
        self._batches = 0

    def commit(self, *changes: Change) -> None:
        path = self._source / f"{self._batches:04}.parquet"
        pq.write_table(changes_table(changes), path)
        self._batches += 1
        query = (
            self._spark.readStream.schema(self._spark.read.parquet(str(path)).schema)
            .parquet(str(self._source))
            .selectExpr("*", "CAST(event_time AS DATE) AS date")
            .writeStream.format("parquet")
            .options(path=str(self.changes_dir), checkpointLocation=str(self._checkpoint), **self._retention)
            .partitionBy("date")
            .trigger(availableNow=True)
            .start()
        )
        try:
            query.awaitTermination(120)
        finally:
            query.stop()


@pytest.fixture
def sink(spark_engine: object, spark: SparkSession, tmp_path: Path) -> SparkSink:
    spark.conf.set("spark.sql.streaming.fileSink.log.compactInterval", COMPACT_EVERY)
    spark.conf.set("spark.sql.streaming.fileSink.log.cleanupDelay", "1ms")
    spark.conf.set("spark.sql.streaming.minBatchesToRetain", "1")
    return SparkSink(spark, tmp_path)


def test_every_commit_of_a_real_sink_is_read_once(sink: SparkSink, duckdb_engine: DuckDBEngine) -> None:
    """Through two compactions, after which Spark removes what they replace; a half-written file is none."""
    follower = CommitLog(sink.changes_dir)
    store = Store(sink.changes_dir.parent, duckdb_engine, timedelta(hours=24))
    midnight = NOON + timedelta(hours=12)
    followed: list[PurePosixPath] = []
    for number in range(7):
        sink.commit(Change(midnight + timedelta(seconds=number - 3), f"Ünïcode {number}"))
        commit = follower.poll()
        assert commit is not None
        follower.accept(commit)
        followed += commit.files
        store.refresh()
        assert store.rows_held == number + 1
    log = sink.changes_dir / "_spark_metadata"
    assert (log / "5.compact").exists()
    assert not (log / "0").exists()
    leftover = next(sink.changes_dir.glob("date=*/*.parquet"))
    leftover.with_name("part-00000-crash.zstd.parquet").write_bytes(leftover.read_bytes())
    (log / ".7.0c0ffee0-1234.tmp").write_text("v1\n{", encoding="utf-8")
    first = CommitLog(sink.changes_dir).poll()
    assert first is not None
    assert sorted(first.files) == sorted(followed)
    assert len(set(followed)) == 7
    titles = read_rows([sink.changes_dir / file for file in first.files], from_us=0)["title"]
    assert sorted(titles.to_pylist()) == [f"Ünïcode {number}" for number in range(7)]


def test_a_real_log_shortened_by_retention_is_followed(
    spark_engine: object, spark: SparkSession, sink: SparkSink, tmp_path: Path
) -> None:
    (tmp_path / "short").mkdir()
    short = SparkSink(spark, tmp_path / "short", retention="1ms")
    follower = CommitLog(short.changes_dir)
    followed: list[PurePosixPath] = []
    for number in range(7):
        short.commit(Change(NOON + timedelta(seconds=number)))
        commit = follower.poll()
        assert commit is not None
        follower.accept(commit)
        followed += commit.files
    assert len(set(followed)) == len(followed)
    compact = (short.changes_dir / "_spark_metadata" / "5.compact").read_text(encoding="utf-8")
    kept = [json.loads(line)["path"] for line in compact.splitlines()[1:]]
    assert len(kept) < 6
    again = CommitLog(short.changes_dir).poll()
    assert again is not None
    assert len(again.files) == len(kept) + 1
