"""The streaming query: topic → changes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming.query import StreamingQuery

from wiki_common.store.place import Place, for_hadoop
from wiki_consumer.query import changes

IN, NEW, OUT = "records", "new", "changes"
SAMPLE_LENGTH = 200
MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class Query:
    """What the query reads and keeps; `known_ids` is a Parquet file of ids that aren't new."""

    source: Mapping[str, str]
    checkpoint: Place
    max_event_age: timedelta
    trigger_interval: timedelta
    known_ids: Place | None


def transform(
    records: DataFrame, *, max_event_age: timedelta, now: Column, known_ids: DataFrame | None = None
) -> DataFrame:
    """Kafka records → rows of `changes` and heartbeats. Counted as records come in (IN), as changes whose ids
    aren't known (NEW, with `known_ids` alone), and as changes that go out (OUT).
    """
    judged = changes.judge(changes.parse(records), max_event_age=max_event_age, now=now)
    verdict = F.col("verdict")
    text = F.make_valid_utf8(F.col("value").cast("string"))
    ahead = (F.unix_micros("event_time") - F.unix_micros(now)) / MICROSECONDS
    tells_time = verdict.isin(changes.KEPT, changes.HEARTBEAT, changes.FUTURE)
    sample = F.struct("partition", "offset", F.left(text, F.lit(SAMPLE_LENGTH)).alias("value"))
    observed = judged.observe(
        IN,
        F.count(F.lit(1)).alias("rows"),
        *(
            F.count_if(verdict == kind).alias(kind)
            for kind in (changes.HEARTBEAT, changes.MALFORMED, changes.FUTURE, changes.LATE)
        ),
        F.count_if((verdict == changes.KEPT) & changes.is_incomplete()).alias("incomplete"),
        F.min(F.when(verdict == changes.MALFORMED, sample)).alias("malformed_sample"),
        F.min("timestamp").alias("oldest_record"),
        F.max("timestamp").alias("newest_record"),
        F.percentile_approx(F.when(tells_time, ahead), 0.5).alias("ahead"),
    )
    kept = changes.kept(observed, now=now)
    if known_ids is not None:
        kept = kept.join(F.broadcast(known_ids.select("event_id")), "event_id", "left_anti")
        kept = kept.observe(NEW, F.count_if(changes.is_change()).alias("rows"))
    unique = changes.without_duplicates(kept, max_event_age=max_event_age)
    return unique.observe(OUT, F.count_if(changes.is_change()).alias("rows"))


def rows(spark: SparkSession, query: Query) -> DataFrame:
    """What the query writes, as a stream."""
    records = spark.readStream.format("kafka").options(**query.source).load()
    known = None if query.known_ids is None else spark.read.parquet(for_hadoop(query.known_ids))
    return transform(records, max_event_age=query.max_event_age, now=F.current_timestamp(), known_ids=known)


def start(spark: SparkSession, query: Query, write: Callable[[DataFrame, int], None]) -> StreamingQuery:
    """Start the query; it goes on from its checkpoint, and hands each batch and its number to `write`."""
    milliseconds = round(query.trigger_interval.total_seconds() * 1000)
    return (
        rows(spark, query)
        .writeStream.foreachBatch(write)
        .queryName("changes")
        .outputMode("append")
        .option("checkpointLocation", for_hadoop(query.checkpoint))
        .trigger(processingTime=f"{milliseconds} milliseconds")
        .start()
    )
