"""One writer at a time.

A JVM lives on for a moment after its Python process was killed, and so does its query. The lock is therefore
the JVM's: it ends when the last thing that could write ends. Java takes a POSIX record lock, as fcntl.lockf
does, so commands that write without a JVM and the consumer keep each other out.

In an object store it is a lease (`lease`), which the Python process holds.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
from pyspark.sql import SparkSession

from wiki_common.store.objects import ObjectPath
from wiki_common.store.place import Place
from wiki_consumer.checkpoint.lease import Lease

GiveBack = Callable[[], None]
"""Gives a lock back; called once nothing writes any more."""

_LOOK_SECONDS: Final = 2.0  # each look at a lease is a request

_log = structlog.get_logger()


class NotWritable(Exception):
    """Nothing can be made on the volume; the message says why in one line."""

    def __init__(self, error: OSError) -> None:
        reason = f"DATA_DIR can't be written to ({error.filename}: {error.strerror})"
        if str(error.filename).startswith("s3://"):
            reason += ": docs/operations.md names the rights that are needed"
        elif isinstance(error, PermissionError):
            reason += ": let it be owned by the user that the consumer runs as (10001 in its container)"
        super().__init__(reason)


def _make(lock: Path) -> None:
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.open("a").close()
    except OSError as error:
        raise NotWritable(error) from None


def acquire_for_jvm(spark: SparkSession, path: Place, *, stopping: Callable[[], bool]) -> GiveBack | None:
    """Wait until this JVM holds the lock for the rest of its life; None if `stopping` came first.

    If a lease is lost, which is of an object store alone, the JVM and this process end at once. Raises
    NotWritable.
    """
    if isinstance(path, ObjectPath):
        return _acquire_lease(spark, Lease(path), path, stopping)
    _make(path)
    jvm: Any = spark._jvm
    file = jvm.java.io.RandomAccessFile(str(path), "rw")
    # Held by the JVM itself: an object that only Python refers to is closed when Python goes.
    jvm.java.lang.System.getProperties().put(f"wiki-consumer.lock.{path}", file)
    held = _waited(lambda: file.getChannel().tryLock() is not None, path, stopping, every=0.5)
    return _end_with_the_jvm if held else None


def _end_with_the_jvm() -> None:
    """The JVM has given it back by its end."""


def _acquire_lease(
    spark: SparkSession, lease: Lease, path: ObjectPath, stopping: Callable[[], bool]
) -> GiveBack | None:
    try:
        held = _waited(lease.take, path, stopping, every=_LOOK_SECONDS)
    except OSError as error:
        raise NotWritable(error) from None
    jvm: Any = spark.sparkContext._gateway

    def end(reason: str) -> None:
        _log.critical("consumer ends", reason=f"the lease of the volume is lost: {reason}")
        jvm.proc.kill()
        os._exit(1)

    if not held:
        return None
    lease.keep(end)
    return partial(_give_back, lease)


def _waited(take: Callable[[], bool], lock: Place, stopping: Callable[[], bool], *, every: float) -> bool:
    waited = False
    while not take():
        if stopping():
            return False
        if not waited:
            _log.warning("waiting for another writer to end", lock=str(lock))
            waited = True
        time.sleep(every)
    return True


@contextmanager
def exclusive(lock: Place) -> Iterator[bool]:
    """Whether nobody else writes to the volume; holds the consumer's lock meanwhile. Raises NotWritable."""
    if isinstance(lock, ObjectPath):
        with _exclusive_lease(Lease(lock)) as alone:
            yield alone
        return
    _make(lock)
    with lock.open("a") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


@contextmanager
def _exclusive_lease(lease: Lease) -> Iterator[bool]:
    try:
        alone = lease.take()
    except OSError as error:
        raise NotWritable(error) from None
    if alone:
        lease.keep(_end)
    try:
        yield alone
    finally:
        if alone:
            _give_back(lease)


def _give_back(lease: Lease) -> None:
    try:
        lease.give_back()
    except OSError as error:
        _log.warning("the lease was not given back, and ends by itself", reason=str(error))


def _end(reason: str) -> None:
    _log.critical("command ends", reason=f"the lease of the volume is lost: {reason}")
    os._exit(1)
