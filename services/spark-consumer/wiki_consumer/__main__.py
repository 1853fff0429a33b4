"""Run the consumer: python -m wiki_consumer"""

import signal
import sys
from datetime import timedelta
from typing import Final

import structlog
from py4j.protocol import Py4JError, Py4JNetworkError
from pyspark.errors import PySparkException

from wiki_consumer import checkpoint, logs, session, settings, status_server, writer_lock
from wiki_consumer.consumer import Broken, Consumer
from wiki_consumer.health import Health
from wiki_consumer.left_out import LeftOut
from wiki_consumer.maintenance import Maintenance
from wiki_consumer.maintenance_thread import MaintenanceEnded, MaintenanceThread
from wiki_consumer.metrics import Metrics
from wiki_consumer.progress import Batch, Listener
from wiki_consumer.volume import Volume

MAINTENANCE_INTERVAL: Final = timedelta(minutes=1)

MAX_REASON: Final = 500
ENDS: Final = (
    Broken,
    ConnectionError,
    MaintenanceEnded,
    Py4JError,
    PySparkException,
    session.ConnectorMissing,
    status_server.PortUnavailable,
)

_log = structlog.get_logger()


class Shutdown:
    """SIGTERM and SIGINT. They end the process at once until `spark_is_up`, and only set a flag from then on.

    A handler that called Spark while the main thread waits for Spark would end with an error.
    """

    def __init__(self) -> None:
        self._requested = False
        self._started = False
        self._listen()

    def spark_is_up(self) -> None:
        """A new session has put a handler of its own in the place of SIGINT's, which calls Spark."""
        self._started = True
        self._listen()

    def requested(self) -> bool:
        return self._requested

    def _listen(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._request)

    def _request(self, *_: object) -> None:
        self._requested = True
        if not self._started:
            raise SystemExit(0)


def run(
    config: settings.Settings,
    shutdown: Shutdown,
    maintenance: Maintenance,
    *,
    maintenance_interval: timedelta = MAINTENANCE_INTERVAL,
) -> None:
    """Until `shutdown` is requested; raises one of ENDS."""
    volume = Volume(config.data_dir)
    health, metrics = Health(config.trigger_interval), Metrics(checkpoint.last_commit(volume.checkpoint))
    left_out = LeftOut()
    status_server.serve(config.bind_address, config.metrics_port, metrics.registry, health)
    maintaining = MaintenanceThread(
        maintenance, interval=maintenance_interval, on_report=metrics.take_maintenance
    )

    def on_batch(batch: Batch) -> None:
        metrics.take(batch)
        health.reported()
        left_out.take(batch)
        if batch.malformed:
            _log.warning("malformed records", count=batch.malformed, sample=batch.malformed_sample)

    def on_idle() -> None:
        health.reported()
        left_out.say()

    def stopping() -> bool:
        return shutdown.requested() or maintaining.failed()

    master = config.spark_master
    spark = session.start(master, config.spark_jars_dir, shuffle_partitions=session.state_partitions(master))
    try:
        shutdown.spark_is_up()
        spark.streams.addListener(Listener(on_batch, on_idle))
        if writer_lock.acquire(spark, volume.lock, stopping=shutdown.requested):
            # Not only once a batch has committed: on a full disk it is what makes room.
            maintaining.start()
            Consumer(spark, config, maintenance, health, metrics, stopping).run()
            maintaining.raise_failure()
    finally:
        maintaining.stop()
        session.stop(spark)


def main() -> int:
    try:
        config = settings.read()
    except settings.InvalidSettings as error:
        settings.exit_naming(error)
    logs.configure(config.log_level, config.log_format)
    shutdown = Shutdown()
    maintenance = Maintenance(
        config.data_dir, max_event_age=config.max_event_age, history_retention=config.history_retention
    )
    try:
        run(config, shutdown, maintenance)
    except ENDS as error:
        # A supervisor may have signalled Spark's JVM as well: then it was gone before it could be stopped.
        if not shutdown.requested():
            _log.error("consumer ends", reason=_reason(error))
            return 1
    _log.info("stopped")
    return 0


def _reason(error: Exception) -> str:
    if isinstance(error, Py4JNetworkError | ConnectionError):
        return f"Spark's JVM has ended: {error}"
    return " ".join(str(error).split())[:MAX_REASON]


if __name__ == "__main__":
    sys.exit(main())
