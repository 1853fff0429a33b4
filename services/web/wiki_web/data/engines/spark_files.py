"""Closed hours' files in Spark, with the columns and values that rows.read_rows gives."""

import re
from collections.abc import Sequence
from typing import Final

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as sf

from wiki_common.store.place import Place
from wiki_web.data.rows import EVENT_US, FILE_SCHEMA, SCHEMA, STORED
from wiki_web.data.titles import CONTROLS, DIRECTION_MARKS

_TYPES: Final = {
    pa.string(): "STRING",
    pa.int32(): "INT",
    pa.int64(): "BIGINT",
    pa.bool_(): "BOOLEAN",
    pa.timestamp("us", "UTC"): "TIMESTAMP",
}
_COLUMNS: Final = ", ".join(f"`{field.name}` {_TYPES[field.type]}" for field in FILE_SCHEMA)


def rows_of(spark: SparkSession, files: Sequence[Place]) -> DataFrame:
    """All rows of `files`, which lie on a disk; there is one at least."""
    stored = spark.read.schema(_COLUMNS).parquet(*map(_without_patterns, files))
    return stored.select([_read(stored[name], column).alias(column) for column, name in STORED.items()])


def _without_patterns(path: Place) -> str:
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
