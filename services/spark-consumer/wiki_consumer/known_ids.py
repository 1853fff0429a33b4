"""Ids that are in Parquet and that a new checkpoint, which remembers none, will read again."""

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from wiki_consumer.raw_files import read_rows
from wiki_consumer.sink_log import SinkLog


def write(target: Path, changes: Path, log: SinkLog, *, since: datetime) -> int:
    """Keep the ids of committed rows from `since` on, if there are any; how many. Raises UnreadableFile."""
    tables = [
        rows.filter(pc.field("event_time") >= since)
        for name in log.files
        if (changes / name).exists()
        for rows in [read_rows(changes / name, ["event_id", "event_time"])]
    ]
    if not any(len(table) for table in tables):
        return 0
    ids = pa.concat_tables(tables, promote_options="permissive")
    temporary = target.with_suffix(".tmp")
    pq.write_table(ids, temporary, coerce_timestamps="us")
    temporary.replace(target)
    return len(ids)


def newest(file: Path) -> datetime:
    """The newest event_time among the ids."""
    time: datetime = pc.max(pq.read_table(file, columns=["event_time"])["event_time"]).as_py()
    return time
