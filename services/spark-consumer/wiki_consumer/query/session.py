"""The Spark session that the consumer's query runs in."""

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import structlog
from py4j.protocol import Py4JError, Py4JJavaError
from pyspark import SparkContext
from pyspark.sql import SparkSession

from wiki_common.settings import LogFormat
from wiki_common.spark import is_local
from wiki_common.store.place import Place
from wiki_consumer.query import object_store
from wiki_consumer.query.generated_code import INTERPRETED

# Heap for a container of about 1 GB: the rest is RocksDB's, the JVM's own and Python's. The state lives
# outside the heap, so the heap holds one batch at a time.
DRIVER_MEMORY = "512m"

# A JVM out of memory is of no use: its end ends the process, and a new one goes on from the checkpoint.
# The result of a backlog's batch is larger than any region of G1, which would mark the heap for each of them.
_JVM_OPTIONS = "-XX:+ExitOnOutOfMemoryError -XX:+UseParallelGC"

# Longer than Spark's own hooks take at the JVM's end.
STOP_SECONDS: Final = 20.0

_STATE_LOGGER: Final = "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"

_CONFIG = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # Spark's own pattern, and what else is secret in the options of the Kafka source.
    "spark.redaction.regex": "(?i)secret|password|token|access[.]?key|jaas|keystore|private key",
    "spark.sql.adaptive.enabled": "false",
    "spark.driver.memory": DRIVER_MEMORY,
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.warehouse.dir": str(Path(tempfile.gettempdir(), "spark-warehouse")),
    # State in RocksDB with a change log: a batch writes what it changed, and the heap stays small.
    "spark.sql.streaming.stateStore.providerClass": (
        "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
    ),
    "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
    # Bounds the checkpoint: so many batches can be gone back to, older files are deleted.
    "spark.sql.streaming.minBatchesToRetain": "30",
    # Without new records there is nothing to write, and the state is cleared with the next ones.
    "spark.sql.streaming.noDataMicroBatches.enabled": "false",
    "spark.sql.streaming.noDataProgressEventInterval": "5s",
    # A stop that takes longer is cut short: the next start finds nothing half done.
    "spark.sql.streaming.stopTimeout": "5s",
    # Without its native library Hadoop starts a chmod or a readlink for each file that it writes.
    "spark.hadoop.fs.file.impl": "com.globalmentor.apache.hadoop.fs.BareLocalFileSystem",
    "spark.sql.streaming.checkpointFileManagerClass": (
        "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"
    ),
    **INTERPRETED,
}


_ONE_MACHINE = {
    # Nobody else has to reach the driver.
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}
_CONNECTOR = "spark-sql-kafka-*.jar"
_LOCAL_FILES = "hadoop-bare-naked-local-fs-*.jar"
# All that a checkpoint on a disk needs: each further jar makes a start longer.
_WITHOUT_STORE = (
    "spark-*.jar",
    "kafka-clients-*.jar",
    "commons-pool2-*.jar",
    "aws-msk-iam-auth-*.jar",
    _LOCAL_FILES,
)

_log = structlog.get_logger()


class ConnectorMissing(Exception):
    """The jars that pyspark lacks aren't where the setting says."""


class ClusterUnavailable(Exception):
    """SPARK_MASTER's cluster takes no driver; the message says why in one line."""


def state_partitions(master: str, cores: int) -> int:
    """How many parts the remembered ids are kept in; a checkpoint keeps the number that it began with.

    On one machine a second part costs more than it saves at any rate that a topic of edits has. On a cluster
    each of the `cores` has its own.
    """
    return 1 if master == "local" or master.startswith("local[") else cores


def start(
    master: str,
    jars: Path,
    *,
    shuffle_partitions: int,
    log_format: LogFormat = "console",
    cluster: Mapping[str, str] | None = None,
    data_dir: Place | None = None,
) -> SparkSession:
    """A session on `master` with the connector jars of `jars`, on its executors too.

    Its own lines on stderr are as `log_format` says; `cluster` is what SparkSettings.cluster_config says; the
    checkpoint is below `data_dir`. Raises ConnectorMissing or ClusterUnavailable.
    """
    store = {} if data_dir is None else object_store.config(data_dir)
    for name in (_CONNECTOR, _LOCAL_FILES, *(object_store.JARS if store else ())):
        if not any(jars.glob(name)):
            raise ConnectorMissing(f"no {name} in SPARK_JARS_DIR={jars}")
    builder = SparkSession.builder.appName("wiki-consumer").master(master)
    where = _ONE_MACHINE if is_local(master) else cluster or {}
    own = {
        "spark.driver.extraJavaOptions": _java_options(master, log_format),
        "spark.sql.shuffle.partitions": str(shuffle_partitions),
    }
    class_path = _class_path(jars, ("*.jar",) if store else _WITHOUT_STORE)
    for key, value in {**_CONFIG, **store, **where, **class_path, **own}.items():
        builder = builder.config(key, value)
    try:
        return builder.getOrCreate()
    except Py4JJavaError:
        if not cluster:
            raise
        # Java gives the session up, and then only says that it has ended.
        raise ClusterUnavailable(
            f"SPARK_MASTER={master}: takes no driver. Is it there, and does SPARK_AUTHENTICATE_SECRET_FILE"
            " have its secret?"
        ) from None


def _class_path(jars: Path, patterns: Sequence[str]) -> dict[str, str]:
    wanted = sorted(jar for pattern in patterns for jar in jars.absolute().glob(pattern))
    return {
        # Spark looks for it before it has taken `spark.jars` in.
        "spark.driver.extraClassPath": ":".join(map(str, jars.absolute().glob(_LOCAL_FILES))),
        # After Spark's own class path, not before it: the MSK jar carries an older Netty under its own name.
        "spark.jars": ",".join(jar.as_uri() for jar in wanted),
    }


def _java_options(master: str, log_format: LogFormat) -> str:
    log4j = (Path(__file__).parent / "log4j2.properties").as_uri()
    # On one machine none comes or goes.
    executors = "off" if is_local(master) else "warn"
    logs = f"-Dlog4j2.configurationFile={log4j} -Dwiki.log={log_format} -Dwiki.executors={executors}"
    return f"{logs} {_JVM_OPTIONS}"


def _hush_state(jvm: Any) -> None:
    """The state may be looked after just now, which a stop lets fail."""
    log4j = jvm.org.apache.logging.log4j
    log4j.core.config.Configurator.setLevel(_STATE_LOGGER, log4j.Level.OFF)


def stop(spark: SparkSession) -> None:
    """Stop the session and end its JVM, which would hold the volume's lock for a moment longer."""
    gateway: Any = spark.sparkContext._gateway
    try:
        _hush_state(gateway.jvm)
        spark.stop()
        gateway.shutdown()
    except (Py4JError, ConnectionError) as error:
        _log.warning("Spark's JVM has ended before its session", reason=str(error))
    # The JVM ends with its standard input.
    gateway.proc.stdin.close()
    try:
        gateway.proc.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        _log.warning("Spark's JVM is killed, it did not end by itself", seconds=STOP_SECONDS)
        gateway.proc.kill()
        gateway.proc.wait()
    SparkContext._gateway = SparkContext._jvm = None  # or another session would ask the JVM that has ended
