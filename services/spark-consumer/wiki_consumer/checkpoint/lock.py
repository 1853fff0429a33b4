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
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from wiki_consumer.kafka.java_errors import chain

_log = structlog.get_logger()


class VolumeUnwritable(Exception):
    """Nothing can be made on the volume; the message says why in one line."""


def acquire_for_jvm(spark: SparkSession, path: Path, *, stopping: Callable[[], bool]) -> bool:
    """Wait until this JVM holds the lock for the rest of its life; False if `stopping` came first.

    Raises VolumeUnwritable.
    """
    _make_folder(path.parent)
    jvm: Any = spark._jvm
    try:
        file = jvm.java.io.RandomAccessFile(str(path), "rw")
    except Py4JJavaError as error:
        # Now, since only the JVM knows the message, and it ends before the error is told.
        raise VolumeUnwritable(
            f"DATA_DIR can't be written to: {chain(error.java_exception)[-1][1]}"
        ) from None
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


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VolumeUnwritable(f"DATA_DIR can't be written to: {error}") from None


@contextmanager
def exclusive(lock: Path) -> Iterator[bool]:
    """Whether nobody else writes to the volume; holds the consumer's lock meanwhile."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
