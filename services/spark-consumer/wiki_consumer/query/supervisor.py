"""Keeps the query running: starts it, watches it, starts it again after a transient failure, or gives up."""

import errno
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.errors.exceptions.captured import StreamingQueryException
from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from wiki_common.coverage import Coverage
from wiki_common.kafka.errors import BrokerRefused
from wiki_consumer.checkpoint import state
from wiki_consumer.checkpoint.batch_clock import CheckpointUnreadable, complete_until
from wiki_consumer.checkpoint.reset import RESET
from wiki_consumer.kafka.java_errors import Cause, chain, refusal
from wiki_consumer.kafka.options import source_options
from wiki_consumer.kafka.topic import TopicUnavailable, topic_id
from wiki_consumer.query import known_ids, pipeline
from wiki_consumer.query.failures import classify
from wiki_consumer.query.preparation import prepare
from wiki_consumer.query.sink import FolderSink
from wiki_consumer.settings import Settings
from wiki_consumer.status.health import Health
from wiki_consumer.status.metrics import Metrics
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.former_layout import FormerLogError
from wiki_consumer.volume.raw_files import UnreadableFile

# How long to wait before the query is started again.
BACKOFF_SECONDS: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
# How often to look whether the query still runs with the right options.
REVIEW_SECONDS: Final = 30.0

_log = structlog.get_logger()


class Broken(Exception):
    """The query can't go on without a decision; the message says why in one line."""


class _Transient(Exception):
    """The query can't run now and is tried again; the message says why in one line."""


class QuerySupervisor:
    """Runs the query until `stopping`. Everything it reports goes to `health`, `metrics` and the log."""

    def __init__(
        self,
        spark: SparkSession,
        settings: Settings,
        health: Health,
        metrics: Metrics,
        stopping: Callable[[], bool],
    ) -> None:
        self._spark = spark
        self._settings = settings
        self._volume = ConsumerVolume(settings.data_dir)
        self._health = health
        self._metrics = metrics
        self._stopping = stopping

    def run(self) -> None:
        """Returns when asked to stop; raises Broken, or what Py4J raises if Spark's JVM has ended."""
        attempt = 0
        while not self._stopping():
            started = time.monotonic()
            try:
                self._run_once()
                attempt = 0
            except _Transient as failure:
                self._metrics.query_failed()
                self._health.trouble(str(failure))
                if time.monotonic() - started > BACKOFF_SECONDS[-1]:
                    attempt = 0
                pause = BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS) - 1)]
                _log.error("query can't run", reason=str(failure), again_in_seconds=pause)
                self._pause(pause)
                attempt += 1

    def _run_once(self) -> None:
        """Until the query has to be started anew with other options, or `stopping`."""
        if not all(_stop(running) for running in self._spark.streams.active):
            raise _Transient("the query that was to be stopped still runs")
        try:
            self._watch(*self._start())
        except TopicUnavailable as error:
            raise _Transient(str(error)) from None
        except (state.CheckpointMismatch, CheckpointUnreadable, FormerLogError, UnreadableFile) as error:
            raise Broken(f"{error}. To begin a new checkpoint: {RESET}") from None
        except BrokerRefused as error:
            raise Broken(str(error)) from None
        except ConnectionError:
            raise  # Spark's JVM has ended: only a new process has another
        except OSError as error:
            raise _Transient(_disk_failure(error)) from None

    def _start(self) -> tuple[StreamingQuery, FolderSink]:
        volume, settings = self._volume, self._settings
        state.check_topic(volume.checkpoint, settings.kafka_topic, topic_id(self._spark, settings))
        prepared = prepare(volume, max_event_age=settings.max_event_age)
        self._tell(Coverage(prepared.as_of))
        sink = FolderSink(
            volume,
            prepared.epoch,
            prepared.publish,
            max_event_age=settings.max_event_age,
            as_of=prepared.as_of,
            next_batch=prepared.next_batch,
            on_coverage=self._tell,
        )
        wanted = pipeline.Query(
            source=source_options(settings),
            checkpoint=volume.checkpoint,
            max_event_age=settings.max_event_age,
            trigger_interval=settings.trigger_interval,
            known_ids=known_ids.existing(volume.known_ids),
        )
        try:
            running = pipeline.start(self._spark, wanted, sink)
        except Py4JJavaError as error:
            raise self._reason(chain(error.java_exception)) from None
        _log.info("query started", epoch=prepared.epoch, batch=prepared.next_batch)
        return running, sink

    def _tell(self, coverage: Coverage) -> None:
        self._health.counted(coverage.as_of)
        self._metrics.counted(coverage)

    def _watch(self, running: StreamingQuery, sink: FolderSink) -> None:
        """Until the query fails, needs its known ids no longer, or has to stop; it has ended then."""
        try:
            review = time.monotonic() + REVIEW_SECONDS
            while not self._stopping() and not running.awaitTermination(1):
                if time.monotonic() >= review:
                    if self._known_ids_are_done():
                        _log.info("query is started again without known ids")
                        return
                    review = time.monotonic() + REVIEW_SECONDS
        except StreamingQueryException:
            failure = sink.failure
            if failure is None:
                raise self._reason(_causes(running)) from None
            if isinstance(failure, Py4JJavaError):
                raise self._reason(chain(failure.java_exception)) from None
            raise failure from None
        finally:
            _stop(running)

    def _known_ids_are_done(self) -> bool:
        """Whether no row that is as old can come any more; then the ids are gone."""
        ids = self._volume.known_ids
        if not ids.exists():
            return False
        complete = complete_until(
            self._volume.checkpoint, max_event_age=self._settings.max_event_age, now=datetime.now(UTC)
        )
        if complete is None or complete <= known_ids.newest(ids):
            return False
        ids.unlink()
        return True

    def _reason(self, causes: Sequence[Cause]) -> Exception:
        if (refused := refusal(causes, self._settings)) is not None:
            return Broken(str(refused))
        failure = classify(causes, on_disk=isinstance(self._settings.data_dir, Path))
        return _Transient(failure.reason) if failure.transient else Broken(failure.reason)

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._stopping():
            time.sleep(0.1)


def _stop(running: StreamingQuery) -> bool:
    """Whether it has ended."""
    try:
        running.stop()
    except (Py4JJavaError, PySparkException) as error:
        # Beyond spark.sql.streaming.stopTimeout: the session's end stops it, and no commit is half done.
        _log.warning("query didn't stop in time", reason=" ".join(str(error).split())[:200])
        return False
    return True


def _causes(running: StreamingQuery) -> list[Cause]:
    return chain(running._jsq.exception().get())


def _disk_failure(error: OSError) -> str:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return f"no room on the volume ({error})" if full else str(error)
