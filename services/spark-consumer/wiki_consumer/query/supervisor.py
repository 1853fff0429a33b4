"""Keeps the query running: starts it, watches it, starts it again after a transient failure, or gives up."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.errors.exceptions.captured import StreamingQueryException
from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from wiki_common.kafka.errors import BrokerRefused
from wiki_consumer.checkpoint import state
from wiki_consumer.checkpoint.batch_clock import CheckpointUnreadable, complete_until
from wiki_consumer.checkpoint.reset import RESET
from wiki_consumer.kafka.java_errors import Cause, chain, refusal
from wiki_consumer.kafka.options import source_options
from wiki_consumer.kafka.topic import TopicUnavailable, topic_id
from wiki_consumer.maintenance.maintenance import Maintenance
from wiki_consumer.query import known_ids, pipeline
from wiki_consumer.query.failures import classify
from wiki_consumer.settings import Settings
from wiki_consumer.status.health import Health
from wiki_consumer.status.metrics import Metrics
from wiki_consumer.volume import renumbering
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.raw_files import UnreadableFile
from wiki_consumer.volume.sink_log import SinkLogError, read_sink_log

# How long to wait before the query is started again.
BACKOFF_SECONDS: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
# How often to look whether the query still runs with the right options.
REVIEW_SECONDS: Final = 30.0
# Rows that are a little older than the filter may be read again if the clock is set back.
KNOWN_MARGIN: Final = timedelta(hours=1)

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
        maintenance: Maintenance,
        health: Health,
        metrics: Metrics,
        stopping: Callable[[], bool],
    ) -> None:
        self._spark = spark
        self._settings = settings
        self._volume = ConsumerVolume(settings.data_dir)
        self._maintenance = maintenance
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
            state.check_topic(
                self._volume.checkpoint, self._settings.kafka_topic, topic_id(self._spark, self._settings)
            )
            state.drop_unused_start(self._volume.checkpoint)
            if renumbering.is_needed(self._volume):
                self._renumber()
                return
            state.check(state.position(self._volume.checkpoint), read_sink_log(self._volume.changes).batch_id)
            retention = self._maintenance.safe_retention()
            self._watch(self._start(staged=False, retention=retention), lambda: self._fits(retention))
        except TopicUnavailable as error:
            raise _Transient(str(error)) from None
        except (state.CheckpointMismatch, CheckpointUnreadable, SinkLogError, UnreadableFile) as error:
            raise Broken(f"{error}. To begin a new checkpoint: {RESET}") from None
        except BrokerRefused as error:
            raise Broken(str(error)) from None
        except ConnectionError:
            raise  # Spark's JVM has ended: only a new process has another
        except OSError as error:
            raise _Transient(str(error)) from None

    def _start(self, *, staged: bool, retention: timedelta) -> StreamingQuery:
        volume = self._volume
        wanted = pipeline.Query(
            source=source_options(self._settings),
            output=volume.staging if staged else volume.changes,
            checkpoint=volume.checkpoint,
            max_event_age=self._settings.max_event_age,
            trigger_interval=self._settings.trigger_interval,
            retention=retention,
            known_ids=known_ids.existing(volume.known_ids),
        )
        try:
            running = pipeline.start(self._spark, wanted)
        except Py4JJavaError as error:
            raise self._reason(chain(error.java_exception)) from None
        _log.info("query started", retention=str(retention), staged=staged)
        return running

    def _watch(self, running: StreamingQuery, fits: Callable[[], bool]) -> None:
        """Until the query fails, doesn't fit any more or has to stop; it has ended then."""
        try:
            review = time.monotonic() + REVIEW_SECONDS
            while not self._stopping() and not running.awaitTermination(1):
                if time.monotonic() >= review:
                    if not fits():
                        _log.info("query is started again with other options")
                        return
                    review = time.monotonic() + REVIEW_SECONDS
        except StreamingQueryException:
            raise self._reason(_causes(running)) from None
        finally:
            _stop(running)

    def _fits(self, retention: timedelta) -> bool:
        if not self._maintenance.retention_fits(retention):
            return False
        ids = self._volume.known_ids
        if not ids.exists():
            return True
        complete = complete_until(
            self._volume.checkpoint, max_event_age=self._settings.max_event_age, now=datetime.now(UTC)
        )
        if complete is None or complete <= known_ids.newest(ids):
            return True
        ids.unlink()
        return False

    def _renumber(self) -> None:
        volume, now = self._volume, datetime.now(UTC)
        if not renumbering.is_staged(volume):
            if state.position(volume.checkpoint).planned == state.NO_BATCH:
                since = now - self._settings.max_event_age - KNOWN_MARGIN
                known = known_ids.write(
                    volume.known_ids, volume.changes, read_sink_log(volume.changes), since=since
                )
                _log.warning("new checkpoint: reading the topic from its start", known_ids=known)
            running = self._start(staged=True, retention=self._maintenance.safe_retention())
            try:
                while not renumbering.is_staged(volume):
                    if self._stopping():
                        return
                    if running.awaitTermination(1):
                        break
            except StreamingQueryException:
                raise self._reason(_causes(running)) from None
            finally:
                stopped = _stop(running)
            if not (stopped and renumbering.is_staged(volume)):
                return
        renumbering.finish(volume, now=now)
        _log.info("sink's log renumbered for the new checkpoint")

    def _reason(self, causes: Sequence[Cause]) -> Exception:
        if (refused := refusal(causes, self._settings)) is not None:
            return Broken(str(refused))
        failure = classify(causes)
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
