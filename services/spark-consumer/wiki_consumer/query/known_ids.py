"""Ids that are in Parquet and that a new checkpoint, which remembers none, will read again."""

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import structlog

from wiki_consumer.volume.raw_files import UnreadableFile, read_rows
from wiki_consumer.volume.sink_log import SinkLog

_log = structlog.get_logger()


def write(target: Path, changes: Path, log: SinkLog, *, since: datetime) -> int:
    """Keep the ids of committed rows from `since` on, if there are any; how many.

    Of a file that can't be read no id is known: its rows are read again, as far as the topic has them.
    """
    tables = []
    for name in log.files:
        try:
            rows = read_rows(changes / name, ["event_id", "event_time"])
        except UnreadableFile as error:
            _log.warning("rows are read again from the topic, their file can't be read", reason=str(error))
            continue
        tables.append(rows.filter(pc.field("event_time") >= since))
    if not any(len(table) for table in tables):
        target.unlink(missing_ok=True)
        return 0
    ids = pa.concat_tables(tables, promote_options="permissive")
    temporary = target.with_suffix(".tmp")
    pq.write_table(ids, temporary, coerce_timestamps="us")
    temporary.replace(target)
    return len(ids)


def existing(file: Path) -> Path | None:
    """`file` itself if it is there and whole. Raises UnreadableFile."""
    if not file.exists():
        return None
    read_rows(file)
    return file


def newest(file: Path) -> datetime:
    """The newest event_time among the ids. Raises UnreadableFile."""
    time: datetime = pc.max(read_rows(file, ["event_time"])["event_time"]).as_py()
    return time
