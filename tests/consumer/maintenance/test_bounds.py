"""The volume keeps its size however long the query runs, and nobody misses a row meanwhile.

Hours take seconds here.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from consumer.fast_hours import OUT_OF_ORDER, NewestRow
from consumer.load import load
from consumer.reader import reader
from consumer.volumes import Volume as Looked
from harness.kafka import Broker
from wiki_common.volume import RawFile
from wiki_consumer.maintenance.maintenance import Maintenance
from wiki_consumer.maintenance.report import Report
from wiki_consumer.maintenance.thread import MaintenanceThread
from wiki_consumer.query.supervisor import QuerySupervisor
from wiki_consumer.settings import Settings
from wiki_consumer.status.health import Health
from wiki_consumer.status.metrics import Metrics
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.raw_files import UnreadableFile, list_raw_files, read_footer

# So long must the query run.
BATCHES = 40
DELETED = 15
LIMIT_SECONDS = 240.0
# An hour of events passes in six seconds, and is closed ten seconds later. No file goes before the events
# have come to what is now: until then they tell the maintenance an earlier time than that of the files.
STEP = 6.0
FIRST = 8 * 3600
# Longer than most looks of the reader take.
GRACE = timedelta(seconds=8)
SPARK = {"spark.sql.streaming.minBatchesToRetain": "5"}


@contextmanager
def configured(spark: SparkSession) -> Iterator[None]:
    before = {name: spark.conf.get(name) for name in SPARK}
    for name, value in SPARK.items():
        spark.conf.set(name, value)
    try:
        yield
    finally:
        for name, usual in before.items():
            spark.conf.set(name, usual or "")


@pytest.mark.slow
def test_old_files_go_while_the_query_runs_and_no_row_is_lost_or_doubled(
    spark: SparkSession,
    broker: Broker,
    topic: str,
    tmp_path: Path,
) -> None:
    servers, volume = broker.bootstrap_servers, ConsumerVolume(tmp_path)
    settings = Settings(
        kafka_bootstrap_servers=servers,
        kafka_topic=topic,
        data_dir=tmp_path,
        max_event_age=timedelta(hours=24),
        trigger_interval=timedelta(milliseconds=200),
    )
    maintenance = Maintenance(
        tmp_path,
        max_event_age=OUT_OF_ORDER,
        history_retention=settings.history_retention,
        clock=NewestRow(volume.changes),
        grace=GRACE,
    )
    reports: list[Report] = []
    maintaining = MaintenanceThread(
        maintenance, interval=timedelta(milliseconds=500), on_report=reports.append
    )
    looked = Looked(tmp_path, Counter())
    deadline = time.monotonic() + LIMIT_SECONDS
    sent: set[str] = set()

    def enough() -> bool:
        """Files have gone, and each that may go is among them."""
        return deleted(reports) >= DELETED and _newest(volume) >= BATCHES and not waiting(volume)

    with (
        configured(spark),
        reader(tmp_path, pause=0.5) as looking,
        load(servers, topic, 1, first=FIRST, step=STEP) as events,
    ):

        def stopping() -> bool:
            assert time.monotonic() < deadline, reports[-1]
            with suppress(FileNotFoundError, UnreadableFile):  # it has just gone
                if not sent and enough():
                    events.end()
                    sent.update(f"event-{number}" for number in range(events.written))
                return bool(sent) and sent <= looked.what_a_reader_sees().keys()
            return False

        maintaining.start()
        try:
            QuerySupervisor(spark, settings, Health(settings.trigger_interval), Metrics(), stopping).run()
        finally:
            maintaining.stop()
        maintaining.raise_failure()

    assert looked.what_a_reader_sees() == dict.fromkeys(sent, 1)
    assert looking.faults == []
    assert looking.looks > 10
    assert [report.failures for report in reports if report.failures] == []
    assert entries(volume.checkpoint / "offsets") < BATCHES / 2
    assert entries(volume.checkpoint / "commits") < BATCHES / 2


def deleted(reports: list[Report]) -> int:
    return sum(report.raw_files_deleted for report in reports)


def waiting(volume: ConsumerVolume) -> list[RawFile]:
    """Those that are left of the hours in the history."""
    end = volume.history_end()
    times = {raw: read_footer(volume.changes / raw.name).times for raw in list_raw_files(volume.changes)}
    return [raw for raw, of_rows in times.items() if end and of_rows and of_rows.newest < end]


def entries(folder: Path) -> int:
    return sum(1 for path in folder.iterdir() if not path.name.startswith("."))


def _newest(volume: ConsumerVolume) -> int:
    return max((raw.batch.number for raw in list_raw_files(volume.changes)), default=-1)
