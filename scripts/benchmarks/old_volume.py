"""Makes a volume look as after days of running: history, raw files of an hour to close, and many others."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq

from wiki_common.volume import HOUR, BatchId, RawFile, date_folder, hour_of
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.raw_files import list_raw_files

HISTORY_ROWS = 20_000
# One a second.
FILES_OF_AN_HOUR = 3_600
ROWS_OF_A_FILE = 10
# Before any that a query would have.
_EPOCH = "20000101T000000Z"


def open_hour() -> datetime:
    """The hour that is to be closed next: no batch writes to it any more."""
    return hour_of(datetime.now(UTC)) - 2 * HOUR


def grow_old(volume: ConsumerVolume, hour: datetime, *, days: int, raw_files: int) -> None:
    """`days` of history before `hour`, whose raw files are there with others up to `raw_files`.

    The query has written to the volume, and doesn't run.
    """
    samples = (volume.changes / raw.name for raw in list_raw_files(volume.changes))
    sample = next(path for path in samples if pq.read_metadata(path).num_rows)
    rows = pq.ParquetFile(sample).read()
    for age in range(1, days * 24 + 1):
        past = hour - age * HOUR
        target = volume.hour_file(past)
        target.parent.mkdir(parents=True)
        pq.write_table(_at(rows, past, HISTORY_ROWS, "history"), target, compression="zstd")
    _write_raw_files(volume, rows, hour)
    for number in range(FILES_OF_AN_HOUR, raw_files):
        copy = volume.changes / RawFile(BatchId(_EPOCH, number), sample.parent.name).name
        copy.hardlink_to(sample)


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


def _write_raw_files(volume: ConsumerVolume, rows: pa.Table, hour: datetime) -> None:
    whole = _at(rows, hour, FILES_OF_AN_HOUR * ROWS_OF_A_FILE, "raw")
    for number in range(FILES_OF_AN_HOUR):
        path = volume.changes / RawFile(BatchId(_EPOCH, number), date_folder(hour)).name
        path.parent.mkdir(exist_ok=True)
        pq.write_table(whole.slice(number * ROWS_OF_A_FILE, ROWS_OF_A_FILE), path, compression="zstd")
