"""One writer at a time.

A JVM lives on for a moment after its Python process was killed, and so does its query. The lock is therefore
the JVM's: it ends when the last thing that could write ends. Java takes a POSIX record lock, as fcntl.lockf
does, so commands that write without a JVM and the consumer keep each other out.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
from pyspark.sql import SparkSession

_log = structlog.get_logger()


class NotWritable(Exception):
    """Nothing can be made on the volume; the message says why in one line."""

    def __init__(self, error: OSError) -> None:
        reason = f"DATA_DIR can't be written to ({error.filename}: {error.strerror})"
        if isinstance(error, PermissionError):
            reason += ": let it be owned by the user that the consumer runs as (10001 in its container)"
        super().__init__(reason)


def _make(lock: Path) -> None:
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.open("a").close()
    except OSError as error:
        raise NotWritable(error) from None


def acquire_for_jvm(spark: SparkSession, path: Path, *, stopping: Callable[[], bool]) -> bool:
    """Wait until this JVM holds the lock for the rest of its life; False if `stopping` came first.

    Raises NotWritable.
    """
    _make(path)
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


@contextmanager
def exclusive(lock: Path) -> Iterator[bool]:
    """Whether nobody else writes to the volume; holds the consumer's lock meanwhile. Raises NotWritable."""
    _make(lock)
    with lock.open("a") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
