"""A batch of the live rate compiles nothing; those that follow a large one are compiled."""

import os
from itertools import pairwise
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from wiki_consumer.query.generated_code import GeneratedCode

LARGE = 100


def compiled(spark: SparkSession) -> int:
    """How many classes Spark has compiled so far."""
    metrics = spark._jvm.org.apache.spark.metrics.source.CodegenMetrics  # type: ignore[union-attr]
    count: int = metrics.METRIC_COMPILATION_TIME().getCount()
    return count


def test_code_is_compiled_after_a_large_batch_until_a_small_one(spark: SparkSession, tmp_path: Path) -> None:
    source, code, counts = tmp_path / "source", GeneratedCode(LARGE), [compiled(spark)]
    source.mkdir()
    sizes = [1, 1, LARGE, 1, 1]
    for batch, size in enumerate(sizes):
        file = source / f"{batch}.json"
        file.write_text('{"n": 1}\n' * size)
        os.utime(file, (batch, batch))  # the source takes the oldest first

    def write(rows: DataFrame, _: int) -> None:
        code.choose(rows.sparkSession, len(rows.collect()))
        counts.append(compiled(spark))

    stream = spark.readStream.schema("n long").option("maxFilesPerTrigger", 1).json(str(source))
    # As in the consumer's query, each batch has another literal.
    rows = stream.withColumn("now", F.unix_micros(F.current_timestamp()) + F.col("n"))
    query = rows.writeStream.foreachBatch(write).trigger(availableNow=True).start()
    query.awaitTermination()
    # In the first batch, what is not the query's own may be compiled.
    small, large, after_large, after_small = (after - before for before, after in pairwise(counts[1:]))
    assert after_large > 0
    assert (small, large, after_small) == (0, 0, 0)
