"""The usual page: each request is a query over the whole folder."""

import sys
from typing import Any

from flask import Flask
from pyspark.sql import SparkSession
from pyspark.sql import functions as F


def app(folder: str) -> Flask:
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate()
    )
    flask = Flask(__name__)

    @flask.get("/top")
    def top() -> list[dict[str, Any]]:
        counts = (
            spark.read.parquet(f"{folder}/changes")
            .where(F.col("event_time") >= F.current_timestamp() - F.expr("INTERVAL 30 MINUTES"))
            .where(F.col("type").isin("edit", "new"))
            .groupBy("title")
            .count()
            .orderBy(F.desc("count"))
        )
        return [row.asDict() for row in counts.collect()]

    return flask


if __name__ == "__main__":
    app(sys.argv[1]).run(port=int(sys.argv[2]), threaded=True)
