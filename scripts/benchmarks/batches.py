"""The consumer's query on a real broker, in a JVM of its own for each measurement: what its batches took."""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import ClassVar, Generic, cast

import psutil
import pyarrow as pa
from kafka import KafkaProducer
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from benchmarks.beside import beside
from benchmarks.costs import Cost, Meter
from consumer import topics
from harness.kafka import Broker
from harness.processes import wait_until
from wiki_common.store.place import Place, PlaceT
from wiki_common.volume import BatchId
from wiki_consumer.checkpoint.epoch import epoch_of
from wiki_consumer.kafka import options
from wiki_consumer.maintenance.maintenance import Maintenance
from wiki_consumer.maintenance.report import Report
from wiki_consumer.maintenance.thread import run_periodically
from wiki_consumer.query import pipeline, session
from wiki_consumer.query.progress import Batch, Listener
from wiki_consumer.query.sink import FolderSink
from wiki_consumer.settings import Settings
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.publishing import Publisher
from wiki_consumer.volume.raw_files import list_raw_files

JARS = Path(__file__).parents[2] / ".local/spark-jars"
TIMEOUT_SECONDS = 900.0
WARM_UP_BATCHES = 20
"""The first batches of a query load classes and compile."""
TRIGGER = timedelta(seconds=1)
MAINTENANCE_PAUSE = timedelta(seconds=5)


class NothingClosed(Exception):
    """The maintenance had nothing to do, or couldn't: what was measured isn't what was meant."""


Start = Callable[[SparkSession, pipeline.Query], StreamingQuery]


@dataclass(frozen=True)
class Target(Generic[PlaceT]):
    """A topic and the volume that it is written to."""

    topic: str
    volume: ConsumerVolume[PlaceT]


@dataclass(frozen=True)
class Pace:
    """Batches of one-second triggers: their seconds and records, bytes resident, files written meanwhile.

    `cost` is what all of them took together.
    """

    seconds: tuple[float, ...]
    records: int
    resident: float
    files: int
    cost: Cost

    @property
    def p50(self) -> float:
        return quantiles(self.seconds, n=100, method="inclusive")[49]

    @property
    def p99(self) -> float:
        return quantiles(self.seconds, n=100, method="inclusive")[98]

    @property
    def files_per_batch(self) -> float:
        return self.files / len(self.seconds)

    @property
    def cpu_seconds_per_batch(self) -> float:
        return self.cost.cpu_seconds / len(self.seconds)

    def __str__(self) -> str:
        batches = len(self.seconds)
        return (
            f"p50 {self.p50:.3f} s, p99 {self.p99:.3f} s, {batches} batches, {self.resident / 1e6:.0f} MB,"
            f" {self.records / batches:.0f} records and {self.files_per_batch:.2f} files a batch"
            f"\n  {self.cost}"
        )


class TimedSink(FolderSink):
    """Notes how many seconds each batch's way to the disk took, without Spark's jobs."""

    seconds: ClassVar[list[float]] = []

    def _write(self, rows: pa.Table, batch: BatchId) -> None:
        began = time.perf_counter()
        super()._write(rows, batch)
        self.seconds.append(time.perf_counter() - began)


def to_parquet(spark: SparkSession, wanted: pipeline.Query) -> StreamingQuery:
    """As the consumer writes it."""
    volume = ConsumerVolume(wanted.checkpoint.parent.parent)
    epoch = epoch_of(wanted.checkpoint, list_raw_files(volume.changes), now=datetime.now(UTC))
    sink = TimedSink(volume, epoch, Publisher(volume), max_event_age=wanted.max_event_age)
    return pipeline.start(spark, wanted, sink)


def to_noop(spark: SparkSession, wanted: pipeline.Query) -> StreamingQuery:
    """The same query without files."""
    return (
        pipeline.rows(spark, wanted)
        .writeStream.format("noop")
        .option("checkpointLocation", str(wanted.checkpoint))
        .trigger(processingTime="1 milliseconds")
        .start()
    )


def on_this_machine(data_dir: Place | None = None) -> SparkSession:
    """For checkpoints below `data_dir`; without it they are on a disk."""
    return session.start("local[2]", JARS, shuffle_partitions=1, data_dir=data_dir)


class Bench(Generic[PlaceT]):
    """Topics on one broker, volumes in one folder, and the queries between them."""

    def __init__(
        self,
        folder: PlaceT,
        broker: Broker,
        *,
        new_session: Callable[[], SparkSession] = on_this_machine,
        partitions: int = 1,
    ) -> None:
        self._folder = folder
        self._new_session = new_session
        self._partitions = partitions
        self._servers = broker.bootstrap_servers
        self._numbers = itertools.count()
        self._events = itertools.count()

    def new_target(self, topic: str | None = None) -> Target[PlaceT]:
        """An empty volume for `topic`, or for a new one."""
        number = next(self._numbers)
        name = topic or f"{self._folder.name}-{number}"
        if topic is None:
            topics.create(self._servers, name, partitions=self._partitions)
        return Target(name, ConsumerVolume(cast(PlaceT, self._folder / f"volume-{number}")))

    def write(self, topic: str, number: int) -> None:
        """Put `number` new records of some 1.2 kB there."""
        producer = KafkaProducer(bootstrap_servers=self._servers, linger_ms=50, batch_size=262_144)
        template = json.dumps(topics.event(123_456_789, comment="c" * 400))
        for event in itertools.islice(self._events, number):
            value = template.replace("123456789", str(event)).encode()
            producer.send(topic, value, key=b"%d" % (event % 1000))
        producer.flush()
        producer.close()

    def drain(self, target: Target[PlaceT], number: int, start: Start) -> float:
        """Records a second, while batches run."""
        with self._query(target, start, trigger=timedelta(milliseconds=1)) as (_, _, batches):
            wait_until(
                lambda: sum(batch.records for batch in batches) >= number,
                timeout=TIMEOUT_SECONDS,
                what="the backlog is read",
            )
            return sum(batch.records for batch in batches) / sum(batch.seconds for batch in batches)

    def pace(
        self,
        target: Target[PlaceT],
        rate: int,
        batches: int,
        *,
        warm_up: int,
        closing: datetime | None = None,
    ) -> Pace:
        """`batches` of one-second triggers at `rate` records a second, after `warm_up` others.

        With `closing` the maintenance closes that hour again and again meanwhile.
        """
        with (
            self._live(target.topic, rate),
            self._query(target, to_parquet, trigger=TRIGGER) as (spark, query, seen),
            _closing(target.volume, closing) if closing else nullcontext(),
        ):
            _await(seen, warm_up)
            files = len(list_raw_files(target.volume.changes))
            meter = Meter(spark, TimedSink.seconds)
            seen.clear()
            _await(seen, batches)
            return Pace(
                tuple(batch.seconds for batch in seen),
                records=sum(batch.records for batch in seen),
                resident=_resident(),
                files=len(list_raw_files(target.volume.changes)) - files,
                cost=meter.read(query, len(seen)),
            )

    @contextmanager
    def _query(
        self, target: Target[PlaceT], start: Start, *, trigger: timedelta
    ) -> Iterator[tuple[SparkSession, StreamingQuery, list[Batch]]]:
        """A query in a session and a JVM of its own, and its batches, while it runs."""
        seen: list[Batch] = []
        spark = self._new_session()
        try:
            spark.streams.addListener(Listener(seen.append, lambda: None))
            running = start(spark, self._wanted(target, trigger))
            yield spark, running, seen
            # As the service does: beyond a limit the session's end stops it, and no commit is half done.
            with suppress(Py4JJavaError, PySparkException):
                running.stop()
        finally:
            session.stop(spark)

    def _wanted(self, target: Target[PlaceT], trigger: timedelta) -> pipeline.Query:
        settings = Settings(kafka_bootstrap_servers=self._servers, kafka_topic=target.topic)
        return pipeline.Query(
            source=options.source_options(settings),
            checkpoint=target.volume.checkpoint,
            max_event_age=settings.max_event_age,
            trigger_interval=trigger,
            known_ids=None,
        )

    @contextmanager
    def _live(self, topic: str, rate: int) -> Iterator[None]:
        """`rate` new records a second, ten times a second."""

        def write(ended: threading.Event) -> None:
            due = time.monotonic()
            while not ended.wait(max(0.0, due - time.monotonic())):
                due += 0.1
                writer.write([topics.event(event) for event in itertools.islice(self._events, rate // 10)])

        with closing(topics.Writer(self._servers, topic)) as writer, beside(write):
            yield


def _await(batches: Sequence[Batch], number: int) -> None:
    wait_until(
        lambda: len(batches) >= number, timeout=TIMEOUT_SECONDS, what=f"{number} batches are committed"
    )


def _maintenance(volume: ConsumerVolume[Place]) -> Maintenance:
    # Whatever history was made for the measurement stays.
    return Maintenance(
        volume.root, max_event_age=Settings().max_event_age, history_retention=timedelta(days=365)
    )


@contextmanager
def _closing(volume: ConsumerVolume[Place], hour: datetime) -> Iterator[None]:
    """Closes `hour` all the time. Raises NothingClosed at the end."""
    reports = list[Report]()
    file = volume.hour_file(hour)

    def undo(report: Report) -> None:
        reports.append(report)
        file.unlink(missing_ok=True)

    def maintain(stop: threading.Event) -> None:
        run_periodically(_maintenance(volume), interval=MAINTENANCE_PAUSE, stop=stop, on_report=undo)

    with beside(maintain):
        yield
    if not reports or any(report.hours_closed != 1 or report.failures for report in reports):
        raise NothingClosed(f"{len(reports)} runs: {reports[-1:]}")


def _resident() -> float:
    """Bytes of this process and of Spark's JVM."""
    this = psutil.Process()
    java = [child for child in this.children() if child.cmdline()[-1] == "pyspark-shell"]
    return float(sum(process.memory_info().rss for process in (this, *java)))
