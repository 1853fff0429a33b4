"""Kafka records to the rows of `changes`: pure functions DataFrame → DataFrame.

A heartbeat says how far the stream was read. It goes all the way to the sink, which has no other way to learn
of it, as a row without `event_time`; every row tells besides up to when it shows that all is read.
"""

from datetime import timedelta
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BooleanType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from wiki_common.event_time import EVENT_TIME_PATTERN, LAST_SECOND
from wiki_common.kafka.heartbeat import CANARY_DOMAIN, COVERED_FROM_HEADER

# One such row would push the watermark past everything that follows.
FUTURE_TOLERANCE = timedelta(minutes=5)
# The watermark must stay behind the filter, or it would silently drop what the filter keeps.
WATERMARK_SLACK = timedelta(minutes=10)

# Ids and sizes passed 32 bits upstream; a narrower type would void the field.
EVENT = StructType(
    [
        StructField(
            "meta",
            StructType(
                [
                    StructField("id", StringType()),
                    StructField("dt", StringType()),
                    StructField("domain", StringType()),
                    StructField("uri", StringType()),
                ]
            ),
        ),
        StructField("id", LongType()),
        StructField("type", StringType()),
        StructField("namespace", IntegerType()),
        StructField("title", StringType()),
        StructField("title_url", StringType()),
        StructField("comment", StringType()),
        StructField("timestamp", LongType()),
        StructField("user", StringType()),
        StructField("bot", BooleanType()),
        StructField("minor", BooleanType()),
        StructField("patrolled", BooleanType()),
        StructField("length", StructType([StructField("old", LongType()), StructField("new", LongType())])),
        StructField("revision", StructType([StructField("old", LongType()), StructField("new", LongType())])),
        StructField("server_name", StringType()),
        StructField("wiki", StringType()),
        StructField("notify_url", StringType()),
        StructField("unreadable", StringType()),
    ]
)

COLUMNS = (
    "event_id",
    "event_time",
    "wiki",
    "domain",
    "type",
    "namespace",
    "title",
    "page_url",
    "user",
    "bot",
    "minor",
    "patrolled",
    "comment",
    "length_old",
    "length_new",
    "revision_old",
    "revision_new",
    "rc_id",
    "diff_url",
    "ingested_at",
    "date",
)

COVERED_UNTIL, COVERED_FROM, RECORDED_AT = "covered_until", "covered_from", "recorded_at"
COVERAGE_COLUMNS = (COVERED_UNTIL, COVERED_FROM, RECORDED_AT)
"""All is read up to the first, coverage begins anew with the second, the record was written at the third."""

KEPT, HEARTBEAT, MALFORMED, FUTURE, LATE = "kept", "heartbeat", "malformed", "future", "late"

# Java's $ would match before the end of a last line as well.
_EVENT_TIME = rf"\A{EVENT_TIME_PATTERN}\z"

# No page has more bytes, and sums of so many rows as a volume can hold don't overflow.
_MAX_SIZE = 2**31 - 1


def parse(records: DataFrame) -> DataFrame:
    """Adds `event` (EVENT, null fields where a value is absent or has the wrong type), `dt` and `event_time`.

    Nothing is dropped: a value that is no JSON object has an `event` without fields. `event.unreadable`
    is the whole value if any of it had the wrong type.
    """
    json = F.make_valid_utf8(F.col("value").cast("string"))
    options = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": "unreadable"}
    seconds = F.col("event.timestamp")
    of_the_author = F.when(seconds.between(0, LAST_SECOND), F.timestamp_seconds(seconds))
    return (
        records.withColumn("event", F.from_json(json, EVENT, options))
        .withColumn("dt", _time(F.col("event.meta.dt")))
        .withColumn("event_time", F.coalesce(of_the_author, F.col("dt")))
    )


def _time(text: Column) -> Column:
    """Null where the text is no time of an event."""
    time = F.when(text.rlike(_EVENT_TIME), text.try_cast("timestamp"))
    return F.when(F.unix_seconds(time).between(0, LAST_SECOND), time)


def _absent(column: Column) -> Column:
    return column.isNull() | (column == "")


def judge(parsed: DataFrame, *, max_event_age: timedelta, now: Column) -> DataFrame:
    """Adds `verdict`: KEPT, HEARTBEAT, MALFORMED (no id, title or time), FUTURE or LATE, as of `now`.

    The record's own time is the stream's: where our clock is behind, its changes aren't of the future.
    """
    nameless = _absent(F.col("event.meta.id")) | _absent(F.col("event.title"))
    latest = F.greatest(now, "timestamp") + F.lit(FUTURE_TOLERANCE)
    verdict = (
        F.when(F.col("event.meta.domain") == CANARY_DOMAIN, HEARTBEAT)
        .when(F.coalesce(nameless, F.lit(True)) | F.col("event_time").isNull(), MALFORMED)
        .when(F.col("event_time") > latest, FUTURE)
        .when(F.col("event_time") < now - F.lit(max_event_age), LATE)
        .otherwise(KEPT)
    )
    return parsed.withColumn("verdict", verdict)


def _is_size(column: Column) -> Column:
    return column.between(0, _MAX_SIZE)


def is_incomplete() -> Column:
    """Whether a row of `changes` has a null for a value that can't be taken: of another type, or no size."""
    sizes = (F.col("event.length.old"), F.col("event.length.new"))
    out_of_range = (F.coalesce(~_is_size(size), F.lit(False)) for size in sizes)
    return reduce(or_, out_of_range, F.col("event.unreadable").isNotNull())


def kept(judged: DataFrame, *, now: Column) -> DataFrame:
    """COLUMNS and COVERAGE_COLUMNS in order, of the records that were judged KEPT or HEARTBEAT."""
    event, heartbeat = F.col("event"), F.col("verdict") == HEARTBEAT
    columns = {
        "event_id": F.when(heartbeat, F.concat_ws("-", F.lit(HEARTBEAT), "partition", "offset")).otherwise(
            event.meta.id
        ),
        # Without it the row moves no watermark, and the state forgets its id after the batch.
        "event_time": F.when(~heartbeat, F.col("event_time")),
        "wiki": event.wiki,
        "domain": F.coalesce(event.meta.domain, event.server_name),
        "type": event.type,
        "namespace": event.namespace,
        "title": event.title,
        "page_url": F.coalesce(event.title_url, event.meta.uri),
        "user": event.user,
        "bot": event.bot,
        "minor": event.minor,
        "patrolled": event.patrolled,
        "comment": event.comment,
        "length_old": F.when(_is_size(event.length.old), event.length.old),
        "length_new": F.when(_is_size(event.length.new), event.length.new),
        "revision_old": event.revision.old,
        "revision_new": event.revision.new,
        "rc_id": event.id,
        "diff_url": event.notify_url,
        "ingested_at": now,
        "date": F.when(~heartbeat, F.to_date("event_time")),
        **_coverage(heartbeat),
    }
    going_on = judged.where(F.col("verdict").isin(KEPT, HEARTBEAT))
    return going_on.select(*(columns[name].alias(name) for name in (*COLUMNS, *COVERAGE_COLUMNS)))


def _coverage(heartbeat: Column) -> dict[str, Column]:
    """No time that a record tells counts beyond its own, the stream's when the producer wrote it."""
    recorded, read = F.col("timestamp"), F.coalesce("dt", "event_time")
    header = F.get(F.filter("headers", lambda each: each.key == COVERED_FROM_HEADER), F.lit(0))
    begins = _time(header.value.cast("string"))
    return {
        COVERED_UNTIL: F.when(read.isNotNull(), F.least(read, recorded)),
        COVERED_FROM: F.when(heartbeat & begins.isNotNull(), F.least(begins, recorded)),
        RECORDED_AT: recorded,
    }


def is_change() -> Column:
    """Whether a row that is `kept` is a change: the others are heartbeats."""
    return F.col("event_time").isNotNull()


def without_duplicates(changes: DataFrame, *, max_event_age: timedelta) -> DataFrame:
    """Each `event_id` once, as long as its copies lie within the watermark of each other."""
    delay = max_event_age + WATERMARK_SLACK
    return changes.withWatermark(
        "event_time", f"{round(delay.total_seconds())} seconds"
    ).dropDuplicatesWithinWatermark(["event_id"])
