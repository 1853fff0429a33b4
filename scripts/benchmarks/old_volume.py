"""Makes a volume look as after days of running: history, raw files of an hour to close, a full sink's log."""

import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from wiki_common.volume import HOUR, hour_of
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.sink_log import LOG_DIRECTORY, VERSION, read_sink_log

HISTORY_ROWS = 20_000
# One a second.
FILES_OF_AN_HOUR = 3_600
ROWS_OF_A_FILE = 10
# The log's oldest entry, in seconds: what hasn't been closed is no older while all is well.
OLDEST_ENTRY = 6_000


def open_hour() -> datetime:
    """The hour that is to be closed next: no batch writes to it any more."""
    return hour_of(datetime.now(UTC)) - 2 * HOUR


def grow_old(volume: ConsumerVolume, hour: datetime, *, days: int, log_entries: int) -> None:
    """`days` of history before `hour`, whose raw files are in the log with others up to `log_entries`.

    The query has written to the volume for less than a compaction of its log, and doesn't run.
    """
    log = read_sink_log(volume.changes)
    sample = volume.changes / next(name for name, _ in log.files.items())
    rows = pq.ParquetFile(sample).read()
    for age in range(1, days * 24 + 1):
        past = hour - age * HOUR
        target = volume.root / f"history/date={past:%Y-%m-%d}/hour={past:%H}/part-0.parquet"
        target.parent.mkdir(parents=True)
        pq.write_table(_at(rows, past, HISTORY_ROWS, "history"), target, compression="zstd")
    added = list(_raw_files_of(volume, rows, hour, FILES_OF_AN_HOUR))
    for number in range(log_entries - len(added)):
        copy = sample.with_name(f"part-{number:05}-copy.c000.zstd.parquet")
        copy.hardlink_to(sample)
        added.append(copy)
    _add_to_log(volume.changes / LOG_DIRECTORY, added)


def _at(rows: pa.Table, hour: datetime, number: int, name: str) -> pa.Table:
    """`number` rows with ids of their own, evenly over `hour`."""
    repeated = pa.concat_tables([rows] * (number // len(rows) + 1)).slice(0, number)
    times = [hour + timedelta(seconds=3599 * index / number) for index in range(number)]
    ids = [f"{name}-{hour:%d%H}-{index}" for index in range(number)]
    for column, values in (("event_time", times), ("event_id", ids)):
        index = repeated.schema.get_field_index(column)
        field = repeated.schema.field(index)
        repeated = repeated.set_column(index, field, pa.array(values, type=field.type))
    return repeated


def _raw_files_of(volume: ConsumerVolume, rows: pa.Table, hour: datetime, number: int) -> Iterable[Path]:
    folder = volume.changes / f"date={hour:%Y-%m-%d}"
    folder.mkdir(exist_ok=True)
    whole = _at(rows, hour, number * ROWS_OF_A_FILE, "raw")
    for index in range(number):
        path = folder / f"part-{index:05}-hour.c000.zstd.parquet"
        pq.write_table(whole.slice(index * ROWS_OF_A_FILE, ROWS_OF_A_FILE), path, compression="zstd")
        yield path


def _add_to_log(log: Path, files: list[Path]) -> None:
    now = time.time()
    lines = (log / "0").read_text(encoding="utf-8").split("\n") if (log / "0").exists() else [VERSION]
    for number, file in enumerate(files):
        entry = {
            "path": file.as_uri(),
            "size": file.stat().st_size,
            "isDir": False,
            "modificationTime": round((now - number % OLDEST_ENTRY) * 1000),
            "blockReplication": 1,
            "blockSize": 33_554_432,
            "action": "add",
        }
        lines.append(json.dumps(entry))
    (log / ".0.crc").unlink(missing_ok=True)
    (log / "0").write_text("\n".join(lines), encoding="utf-8")
