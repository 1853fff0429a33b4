"""Spark's session: how it is configured, and its errors as those of an engine."""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from wiki_common.settings import LogFormat
from wiki_common.spark import is_local
from wiki_web.data.engines.engine import EngineDied, EngineError

# Out of memory the JVM ends, and the service with it, so that a supervisor starts both again. On so small a
# heap G1 marks without end, beside the queries on the same few cores. What is held lies in the old
# generation: the young one, a third by default, would have more of the container than it needs.
_JVM_OPTIONS: Final = "-XX:+ExitOnOutOfMemoryError -XX:+UseSerialGC -Xmn160m"


def open_session(master: str, log_format: LogFormat, cluster: Mapping[str, str]) -> SparkSession:
    """A session for the window's queries. Raises EngineDied if it can't start.

    `log_format` is of its own lines, `cluster` what SparkSettings.cluster_config says.
    """
    try:
        spark = _session(master, log_format, cluster)
    except (PySparkException, Py4JError, RuntimeError, OSError) as error:
        raise EngineDied(f"spark can't start: {_first_line(error)}") from error
    # What is there by now stays: `answering` looks at what has come since alone, in 2 ms instead of 40.
    gc.collect()
    gc.freeze()
    return spark


def _session(master: str, log_format: LogFormat, cluster: Mapping[str, str]) -> SparkSession:
    log4j = Path(__file__).with_name("log4j2.properties").as_uri()
    builder = (
        SparkSession.builder.master(master)
        .appName("wiki-web")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.ansi.enabled", "true")
        .config("spark.cleaner.periodicGC.interval", "5min")
        # Enough for a day of English Wikipedia, and small enough for the container beside Java and Python.
        .config("spark.driver.memory", "672m")
        # Larger tables must not become part of the query plan, which holds them on the heap once more.
        .config("spark.sql.execution.arrow.localRelationThreshold", "2MB")
        # Each of a query's few small broadcasts allocates a block, of 4 MB by default.
        .config("spark.broadcast.blockSize", "256k")
        # A refresh uses more compiled classes than the hundred that Spark caches by default.
        .config("spark.sql.codegen.cache.maxEntries", "1000")
        # The window is small: a query's cost is planning and scheduling rather than data.
        .config("spark.sql.shuffle.partitions", cluster.get("spark.cores.max", "1"))
        .config("spark.sql.adaptive.enabled", "false")
        .config(
            "spark.driver.extraJavaOptions",
            f"-Dlog4j2.configurationFile={log4j} -Dwiki.log={log_format} {_JVM_OPTIONS}",
        )
    )
    if is_local(master):
        builder = builder.config("spark.driver.bindAddress", "127.0.0.1").config(
            "spark.driver.host", "127.0.0.1"
        )
    for key, value in cluster.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


@contextmanager
def engine_errors(spark: SparkSession) -> Iterator[None]:
    """Spark's and its gateway's errors as EngineError, or as EngineDied once the JVM is gone."""
    try:
        yield
    except (PySparkException, Py4JError, ConnectionError) as error:
        raised = EngineDied if has_died(spark) else EngineError
        raise raised(f"spark: {_first_line(error)}") from error


@contextmanager
def answering(spark: SparkSession) -> Iterator[None]:
    """engine_errors, for a query; what Python knows of the JVM's objects and needs no more is given back.

    Py4J's objects lie in cycles, each with its methods, and as long as Python hasn't collected these the JVM
    keeps a query's plan, of a day some 30 MB. By itself Python does it after hundreds of queries.
    """
    try:
        with engine_errors(spark):
            yield
    finally:
        gc.collect()


def has_died(spark: SparkSession) -> bool:
    process = getattr(spark.sparkContext._gateway, "proc", None)
    return process is not None and process.poll() is not None


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or repr(error)).splitlines()[0]
