"""Files in Spark, with the columns and values that rows.read_rows gives."""

import re
from collections.abc import Sequence
from pathlib import Path
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


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f"`{field.name}` {_TYPES[field.type]}" for field in schema)


_STORED_COLUMNS: Final = _columns(FILE_SCHEMA)
_COLUMNS: Final = _columns(SCHEMA)


def own_rows_of(spark: SparkSession, file: Path) -> DataFrame:
    """All rows of a file of this process's own, which has rows.SCHEMA and only what can be read."""
    return spark.read.schema(_COLUMNS).parquet(_without_patterns(file))


def rows_of(spark: SparkSession, files: Sequence[Place]) -> DataFrame:
    """All rows of closed hours' `files`, which lie on a disk; there is one at least."""
    stored = spark.read.schema(_STORED_COLUMNS).parquet(*map(_without_patterns, files))
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
