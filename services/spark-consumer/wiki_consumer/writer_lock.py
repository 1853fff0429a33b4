"""One writer at a time.

A JVM lives on for a moment after its Python process was killed, and so does its query. The lock is therefore
the JVM's: it ends when the last thing that could write ends. It is a POSIX record lock, as fcntl.lockf takes.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from pyspark.sql import SparkSession

_log = structlog.get_logger()


def acquire(spark: SparkSession, path: Path, *, stopping: Callable[[], bool]) -> bool:
    """Wait until this JVM holds the lock for the rest of its life; False if `stopping` came first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    jvm: Any = spark._jvm
    file = jvm.java.io.RandomAccessFile(str(path), "rw")
    # Held by the JVM itself: an object that only Python refers to is closed when Python goes.
    jvm.java.lang.System.getProperties().put(f"wiki-consumer.lock.{path}", file)
    waited = False
    while file.getChannel().tryLock() is None:
        if stopping():
            return False
        if not waited:
            _log.warning("waiting for another writer to end", lock=str(path))
            waited = True
        time.sleep(0.5)
    return True
