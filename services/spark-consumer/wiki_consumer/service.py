"""The consumer's life: status server, Spark's session, lock, maintenance and query, one after the other."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from py4j.protocol import Py4JError, Py4JNetworkError
from pyspark.errors import PySparkException

from wiki_common.health.server import PortInUse, status_server
from wiki_common.store.place import Place
from wiki_consumer.checkpoint import lock
from wiki_consumer.checkpoint.state import last_commit
from wiki_consumer.maintenance.maintenance import Maintenance
from wiki_consumer.maintenance.thread import MaintenanceEnded, MaintenanceThread
from wiki_consumer.query import session
from wiki_consumer.query.batch_log import BatchLog
from wiki_consumer.query.progress import Batch, Listener
from wiki_consumer.query.supervisor import Broken, QuerySupervisor
from wiki_consumer.settings import Settings
from wiki_consumer.shutdown import Shutdown
from wiki_consumer.status.health import Health
from wiki_consumer.status.metrics import Metrics
from wiki_consumer.volume.folders import ConsumerVolume

MAINTENANCE_INTERVAL: Final = timedelta(minutes=1)

_MAX_REASON: Final = 500
# What ends the process with one line. Everything else is an error of ours, with its stack trace.
_ENDS: Final = (
    Broken,
    ConnectionError,
    MaintenanceEnded,
    PortInUse,
    Py4JError,
    PySparkException,
    lock.NotWritable,
    session.ClusterUnavailable,
    session.ConnectorMissing,
)

_log = structlog.get_logger()


def run(
    settings: Settings,
    maintenance: Maintenance,
    *,
    shutdown: Shutdown,
    maintenance_interval: timedelta = MAINTENANCE_INTERVAL,
) -> int:
    """Until `shutdown` is requested, or the consumer can't go on; the process's exit code."""
    volume = ConsumerVolume(settings.data_dir)
    try:
        health, metrics = Health(settings.trigger_interval), Metrics(_last_commit(volume))
        if isinstance(settings.data_dir, Path):
            metrics.watch_disk(settings.data_dir)
        with status_server(
            settings.bind_address, settings.metrics_port, metrics.registry, health.reasons, notes=health.notes
        ):
            _run_query(settings, maintenance, maintenance_interval, shutdown, health, metrics)
    except _ENDS as error:
        # A supervisor may have signalled Spark's JVM as well: then it was gone before it could be stopped.
        if not shutdown.requested():
            _log.error("consumer ends", reason=_reason(error))
            return 1
    _log.info("stopped")
    return 0


def _run_query(
    settings: Settings,
    maintenance: Maintenance,
    maintenance_interval: timedelta,
    shutdown: Shutdown,
    health: Health,
    metrics: Metrics,
) -> None:
    """Returns once `shutdown` is requested; raises one of _ENDS."""
    maintaining = MaintenanceThread(
        maintenance, interval=maintenance_interval, on_report=metrics.take_maintenance
    )

    def stopping() -> bool:
        return shutdown.requested() or maintaining.failed()

    master = settings.spark_master
    partitions = session.state_partitions(master, settings.spark_cores_max)
    spark = session.start(
        master,
        settings.spark_jars_dir,
        shuffle_partitions=partitions,
        log_format=settings.log_format,
        cluster=settings.cluster_config(),
        data_dir=settings.data_dir,
    )
    give_back: lock.GiveBack | None = None
    try:
        shutdown.spark_is_up()
        spark.streams.addListener(_reporting_to(health, metrics))
        folders = ConsumerVolume(settings.data_dir)
        give_back = lock.acquire_for_jvm(spark, folders.lock, stopping=shutdown.requested)
        if give_back:
            # Before the first batch: on a full disk no batch commits until this has made room.
            maintaining.start()
            QuerySupervisor(spark, settings, health, metrics, stopping).run()
            maintaining.raise_failure()
    finally:
        maintaining.stop()
        session.stop(spark)
        if give_back:
            give_back()


def _last_commit(volume: ConsumerVolume[Place]) -> datetime | None:
    try:
        return last_commit(volume.checkpoint)
    except OSError as error:
        raise lock.NotWritable(error) from None


def _reporting_to(health: Health, metrics: Metrics) -> Listener:
    batch_log = BatchLog()

    def on_batch(batch: Batch) -> None:
        metrics.take(batch)
        health.committed(batch)
        batch_log.take(batch)

    def on_idle() -> None:
        health.reported()
        batch_log.say()

    return Listener(on_batch, on_idle)


def _reason(error: Exception) -> str:
    if isinstance(error, Py4JNetworkError | ConnectionError):
        return f"Spark's JVM has ended: {error}"
    return " ".join(str(error).split())[:_MAX_REASON]
