"""What comes of two plans for one batch: python -m consumer.plan_twice s3://bucket/prefix"""

import sys
from typing import Any

from py4j.protocol import Py4JJavaError

from consumer.running import JARS
from wiki_common.store import place
from wiki_consumer.query import session


def main() -> None:
    data = place.object_path(sys.argv[1])
    spark = session.start("local[1]", JARS, shuffle_partitions=1, data_dir=data)
    jvm: Any = spark._jvm
    path = jvm.org.apache.hadoop.fs.Path
    root = path(place.for_hadoop(data / "checkpoints/changes"))
    manager = jvm.org.apache.spark.sql.execution.streaming.checkpointing.CheckpointFileManager.create(
        root, spark._jsparkSession.sessionState().newHadoopConf()
    )

    def write(name: str, text: str, *, overwrite: bool = False, cancel: bool = False) -> str:
        stream = manager.createAtomic(path(root, name), overwrite)
        stream.write(bytearray(text.encode()))
        try:
            if cancel:
                stream.cancel()
            stream.close()
        except Py4JJavaError:
            return "refused"
        return "written"

    told = {
        "the first plan": write("offsets/7", "first"),
        "the same again": write("offsets/7", "first"),
        "another one": write("offsets/7", "second"),
        "state": write("state/0/0/7.zip", "first"),
        "state again": write("state/0/0/7.zip", "second", overwrite=True),
        "one that was given up": write("offsets/8", "half", cancel=True),
        "batches": sorted(status.getPath().getName() for status in manager.list(path(root, "offsets"))),
        "no batches": len(manager.list(path(root, "commits"))),
    }
    for what, outcome in told.items():
        print(f"{what}: {outcome}")  # noqa: T201 - the test reads it
    session.stop(spark)


if __name__ == "__main__":
    main()
