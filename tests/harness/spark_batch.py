"""A batch through state, as in the consumer's query, with the connector jars in the folder that is given."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from wiki_consumer.query import session


def main() -> None:
    spark = session.start("local[2]", Path(sys.argv[1]), shuffle_partitions=1)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        source.mkdir()
        (source / "1.json").write_text('{"id": "1", "at": "2026-01-31T12:00:00Z"}\n', encoding="utf-8")
        query = (
            spark.readStream.schema("id string, at timestamp")
            .json(str(source))
            .withWatermark("at", "1 hour")
            .dropDuplicatesWithinWatermark(["id"])
            .writeStream.foreachBatch(lambda rows, _: rows.toArrow())
            .option("checkpointLocation", f"{folder}/checkpoint")
            .trigger(availableNow=True)
            .start()
        )
        query.awaitTermination()
    gateway: Any = spark.sparkContext._gateway
    spark.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()  # however long it writes its classes down


if __name__ == "__main__":
    main()
