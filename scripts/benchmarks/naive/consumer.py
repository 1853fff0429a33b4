"""The usual consumer: a query that parses records and appends Parquet, by date, with a checkpoint."""

import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

_SCHEMA = "meta STRUCT<id: STRING>, type STRING, title STRING, user STRING, timestamp LONG"


def run(jars: str, bootstrap_servers: str, topic: str, folder: str) -> None:
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.jars", jars)
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate()
    )
    records = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", bootstrap_servers)
        .option("subscribe", topic)
        .option("startingOffsets", "earliest")
        .load()
    )
    change = F.from_json(F.col("value").cast("string"), _SCHEMA)
    (
        records.select(change.alias("change"))
        .select("change.*", F.timestamp_seconds("change.timestamp").alias("event_time"))
        .withColumn("date", F.to_date("event_time"))
        .writeStream.format("parquet")
        .option("path", f"{folder}/changes")
        .option("checkpointLocation", f"{folder}/checkpoint")
        .partitionBy("date")
        .trigger(processingTime="1 second")
        .start()
        .awaitTermination()
    )


if __name__ == "__main__":
    run(*sys.argv[1:])
