"""Reads topics with the consumer's own options, in a Spark process of its own: one session for many logins.

Arguments: the folder of the connector jars, and a JSON file of {name: environment}. Prints a line for each,
with what was read or the refusal as JSON.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from wiki_common.kafka.errors import BrokerRefused
from wiki_common.settings import read_settings
from wiki_consumer.kafka.options import source_options
from wiki_consumer.kafka.topic import TopicUnavailable, topic_id
from wiki_consumer.query import session
from wiki_consumer.settings import Settings

# A busy machine is no reason to give up.
PATIENCE = {"kafka.request.timeout.ms": "60000", "kafka.default.api.timeout.ms": "120000"}


def look(spark: SparkSession, config: Settings) -> str | None:
    """The consumer's first look at the topic, as often as the broker does not answer in time: the refusal."""
    while True:
        try:
            topic_id(spark, config)
        except BrokerRefused as refused:
            return str(refused)
        except TopicUnavailable as error:
            sys.stdout.write(f"{error}\n")
        else:
            return None


def read(spark: SparkSession, config: Settings, checkpoint: Path) -> dict[str, Any]:
    """The topic's values, read as a stream up to its end as it is now, and the query's plan."""
    options = source_options(config) | PATIENCE
    records = spark.readStream.format("kafka").options(**options).load()
    query = (
        records.selectExpr("cast(value as string) as value")
        .writeStream.format("memory")
        .queryName(checkpoint.name)
        .option("checkpointLocation", str(checkpoint))
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
    values = sorted(row.value for row in spark.table(checkpoint.name).collect())
    return {"values": values, "plan": records._jdf.queryExecution().toString()}


def take_credentials(spark: SparkSession, env: Mapping[str, str]) -> None:
    """AWS's credentials of `env`: Java reads its environment once, and its system properties each time."""
    jvm: Any = spark._jvm
    for name, variable in {
        "aws.accessKeyId": "AWS_ACCESS_KEY_ID",
        "aws.secretAccessKey": "AWS_SECRET_ACCESS_KEY",
    }.items():
        jvm.System.setProperty(name, env.get(variable, ""))


def main() -> None:
    jars, file = map(Path, sys.argv[1:])
    spark = session.start("local[2]", jars, shuffle_partitions=1)
    for number, (name, env) in enumerate(json.loads(file.read_text("utf-8")).items()):
        for each in [key for key in os.environ if key.startswith("KAFKA_")]:
            del os.environ[each]
        os.environ.update(env)
        take_credentials(spark, env)
        config = read_settings(Settings)
        refusal = look(spark, config)
        answer = {} if refusal else read(spark, config, file.parent / f"reading_{number}")
        sys.stdout.write("answer " + json.dumps({"name": name, "refusal": refusal, **answer}) + "\n")
        sys.stdout.flush()
    spark.stop()


if __name__ == "__main__":
    main()
