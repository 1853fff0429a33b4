"""A volume as the consumer leaves it, and what a reader sees of it."""

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from wiki_common.coverage import Coverage, Gap
from wiki_common.store.place import Place, readable
from wiki_common.volume import BatchId, RawFile, date_folder
from wiki_consumer.checkpoint.epoch import epoch_of
from wiki_consumer.maintenance.deletion import GRACE
from wiki_consumer.maintenance.maintenance import Maintenance
from wiki_consumer.maintenance.report import Report
from wiki_consumer.query.changes import COVERED_FROM, COVERED_UNTIL, RECORDED_AT
from wiki_consumer.query.sink import FolderSink
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.gaps import joined
from wiki_consumer.volume.history import History
from wiki_consumer.volume.publishing import Publisher
from wiki_consumer.volume.raw_files import SCHEMA, list_raw_files, read_footer, read_rows

COLUMNS: Final = """event_id string, event_time timestamp, wiki string, domain string, type string,
namespace int, title string, page_url string, user string, bot boolean, minor boolean, patrolled boolean,
comment string, length_old long, length_new long, revision_old long, revision_new long, rc_id long,
diff_url string"""
MAX_EVENT_AGE: Final = timedelta(minutes=30)
# All batches have one clock, NOW, that isn't too late for any of their rows.
OF_THE_ROWS: Final = timedelta(hours=7)
FIRST_GAP: Final = Gap(None, datetime(2026, 1, 31, 21, 10, tzinfo=UTC))
"""Before it the first batch would have left everything out."""
# The last batch's clock: what ended by 03:35 is complete, so the hour from 03:00 is open.
NOW: Final = datetime(2026, 2, 1, 4, 10, tzinfo=UTC)
CLOSED: Final = [datetime(2026, 1, 31, 22, tzinfo=UTC) + timedelta(hours=hours) for hours in (0, 1, 2, 4)]
HISTORY_END: Final = datetime(2026, 2, 1, 3, tzinfo=UTC)
# By an event in the file that tells of it: one ends in an hour without rows, one in the hour that stays open.
GAPS: Final = {
    "4-0": Gap(datetime(2026, 1, 31, 23, 10, tzinfo=UTC), datetime(2026, 2, 1, 1, 40, tzinfo=UTC)),
    "1-0": Gap(datetime(2026, 2, 1, 2, 50, tzinfo=UTC), datetime(2026, 2, 1, 3, 0, tzinfo=UTC)),
}
BATCHES: Final = (
    ("01-31T22:00:00", "01-31T22:30:00", "01-31T22:59:59.999"),
    ("01-31T22:45:00", "01-31T23:00:00"),
    ("01-31T23:50:00", "02-01T00:05:00"),
    ("02-01T00:20:00", "02-01T00:10:00"),
    ("02-01T02:10:00", "02-01T02:10:00"),
    ("02-01T02:40:00", "02-01T03:05:00"),
    ("02-01T03:30:00",),
    ("02-01T03:40:00",),
    ("02-01T03:50:00",),
)
FIRST_BATCHES: Final = 6


def rows_of_batch(batch: int) -> list[dict[str, object]]:
    return [
        {
            "event_id": f"{batch}-{row}",
            "event_time": f"2026-{time}Z",
            "wiki": "enwiki",
            "title": f"Page {row}",
            "namespace": 0,
            "length_new": 2**40,
        }
        for row, time in enumerate(BATCHES[batch])
    ]


def ids_of(batches: int) -> Counter[str]:
    return Counter(str(row["event_id"]) for batch in range(batches) for row in rows_of_batch(batch))


@dataclass(frozen=True)
class Volume:
    """A data directory and the ids of the rows that are committed in it."""

    path: Path
    ids: Counter[str]

    @property
    def changes(self) -> Path:
        return self.path / "changes"

    @property
    def folders(self) -> ConsumerVolume:
        return ConsumerVolume(self.path)

    @property
    def history(self) -> History:
        return History(self.folders, ignore)

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoints/changes"

    def copy_to(self, path: Path) -> "Volume":
        shutil.copytree(self.path, path)
        return Volume(path, self.ids)

    def raw_files(self) -> list[Path]:
        return [self.changes / raw.name for raw in list_raw_files(self.changes)]

    def raw_file_with(self, event_id: str) -> Path:
        return next(path for path in self.raw_files() if event_id in read_ids(path))

    def set_batch_clock(self, batch: int, time: datetime) -> None:
        """As if `batch` had started at `time`."""
        path = self.checkpoint / "offsets" / str(batch)
        version, metadata, *offsets = path.read_text().split("\n")
        changed = json.loads(metadata) | {"batchTimestampMs": round(time.timestamp() * 1000)}
        path.write_text("\n".join((version, json.dumps(changed), *offsets)))
        path.with_name(f".{path.name}.crc").unlink(missing_ok=True)

    def maintenance(
        self,
        *,
        now: datetime = NOW,
        on_step: Callable[[str], None] = lambda _: None,
        history_retention: timedelta = timedelta(days=7),
    ) -> Maintenance:
        return Maintenance(
            self.path,
            max_event_age=MAX_EVENT_AGE,
            history_retention=history_retention,
            clock=lambda: now,
            on_step=on_step,
        )

    def tell(self, raw: Path, *gaps: Gap) -> None:
        """Let the raw file have these gaps in its footer as well."""
        coverage = read_footer(raw).coverage
        told = Coverage(coverage.as_of, (*coverage.gaps, *gaps))
        modified = raw.stat().st_mtime
        Publisher(self.folders)(str(raw.relative_to(self.changes)), read_rows(raw), told)
        os.utime(raw, (modified,) * 2)

    def gaps_that_a_reader_sees(self) -> tuple[Gap, ...]:
        return gaps_that_a_reader_sees(self.path)

    def what_a_reader_sees(self) -> Counter[str]:
        return what_a_reader_sees(self.path)


def gaps_that_a_reader_sees(data: Place) -> tuple[Gap, ...]:
    volume = ConsumerVolume(data)
    raw_files = (volume.changes / raw.name for raw in list_raw_files(volume.changes))
    files = (*volume.hour_files().values(), *raw_files)
    return joined(gap for path in files for gap in read_footer(path).coverage.gaps)


def what_a_reader_sees(data: Place) -> Counter[str]:
    """How often each id counts: history before its end, raw files from there on.

    Raises FileNotFoundError for a file that has gone since it was listed.
    """
    volume = ConsumerVolume(data)
    end = volume.history_end()
    seen: Counter[str] = Counter()
    for file in volume.hour_files().values():
        seen.update(read_ids(file))
    for raw in list_raw_files(volume.changes):
        content = readable(volume.changes / raw.name)
        rows = pq.ParquetFile(content).read(["event_id", "event_time"]).to_pylist()
        seen.update(row["event_id"] for row in rows if end is None or row["event_time"] >= end)
    return seen


def ignore(_: str) -> None:
    pass


def read_ids(path: Place) -> list[str]:
    ids: list[str] = pq.ParquetFile(readable(path)).read(["event_id"])["event_id"].to_pylist()
    return ids


def stream(spark: SparkSession, path: Path, batches: range) -> DataFrame:
    """These batches, one JSON file each beside the volume at `path`, with the columns of `changes`."""
    source = path.with_name("source")
    source.mkdir(exist_ok=True)
    for batch in batches:
        file = source / f"{batch:03d}.json"
        file.write_text("\n".join(map(json.dumps, rows_of_batch(batch))))
        os.utime(file, (batch, batch))  # the source takes the oldest first
    return (
        spark.readStream.schema(COLUMNS)
        .option("maxFilesPerTrigger", 1)
        .json(str(source))
        .withColumn("ingested_at", F.current_timestamp())
        .withColumn("date", F.to_date("event_time"))
        .withColumns({COVERED_UNTIL: F.col("event_time"), RECORDED_AT: F.col("event_time")})
        .withColumn(COVERED_FROM, F.lit(None).cast("timestamp"))
        .coalesce(1)
    )


def run_batches(spark: SparkSession, path: Path, batches: range) -> None:
    """Let Spark write these batches to the volume at `path`, each at NOW."""
    volume = Volume(path, Counter())
    epoch = epoch_of(volume.checkpoint, [], now=NOW)
    sink = FolderSink(volume.folders, epoch, Publisher(volume.folders), max_event_age=OF_THE_ROWS)

    def write(rows: DataFrame, number: int) -> None:
        volume.set_batch_clock(number, NOW)
        sink(rows, number)

    query = (
        stream(spark, path, batches)
        .writeStream.foreachBatch(write)
        .option("checkpointLocation", str(volume.checkpoint))
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()


def add_batch_without_rows(
    volume: Volume, batch: int, clock: datetime, coverage: Coverage | None = None
) -> None:
    """As if the query had committed another batch, whose clock is `clock`."""
    planned, committed = (volume.checkpoint / log for log in ("offsets", "commits"))
    for log in (planned, committed):
        log.mkdir(parents=True, exist_ok=True)
    (planned / str(batch)).write_text(f'v1\n{{"batchTimestampMs": {round(clock.timestamp() * 1000)}}}\n{{}}')
    epoch = epoch_of(volume.checkpoint, [], now=NOW)
    raw = RawFile(BatchId(epoch, batch), date_folder(clock))
    Publisher(volume.folders)(raw.name, SCHEMA.empty_table(), coverage)
    (committed / str(batch)).write_text("v1\n{}")


def grow_old(volume: Volume) -> None:
    """As if its files had been written long ago, so that none is kept for readers."""
    for path in (*volume.raw_files(), *volume.folders.history.glob("date=*/hour=*/*")):
        os.utime(path, (NOW.timestamp() - GRACE.total_seconds(),) * 2)


def clean_up(volume: Volume, on_step: Callable[[str], None] = lambda _: None) -> Report:
    """Runs until everything is done that is to be done; what the last one says."""
    volume.maintenance(on_step=on_step).run()
    grow_old(volume)
    return volume.maintenance(on_step=on_step).run()


def contents(volume: Volume) -> dict[str, object]:
    """Of each file the ids and the gaps."""
    return {
        str(path.relative_to(volume.path)): (read_ids(path), read_footer(path).coverage.gaps)
        if path.suffix == ".parquet"
        else None
        for folder in ("changes", "history")
        for path in sorted((volume.path / folder).rglob("*"))
    }
