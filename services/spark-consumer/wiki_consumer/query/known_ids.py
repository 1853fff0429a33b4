"""Ids that are in Parquet and that a new checkpoint, which remembers none, will read again."""

from collections.abc import Iterable
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import structlog

from wiki_common.store.place import Place
from wiki_consumer.volume.drafts import draft_of
from wiki_consumer.volume.raw_files import KEY_COLUMNS, UnreadableFile, read_rows

_log = structlog.get_logger()


def write(target: Place, files: Iterable[Place], *, since: datetime) -> int:
    """Keep the ids of the rows from `since` on in `files`, if there are any; how many.

    Of a file that can't be read no id is known: its rows are read again, as far as the topic has them.
    """
    tables = []
    for file in files:
        try:
            rows = read_rows(file, [*KEY_COLUMNS])
        except UnreadableFile as error:
            _log.warning("rows are read again from the topic, their file can't be read", reason=str(error))
            continue
        tables.append(rows.filter(pc.field("event_time") >= since))
    if not any(len(table) for table in tables):
        target.unlink(missing_ok=True)
        return 0
    ids = pa.concat_tables(tables, promote_options="permissive")
    draft = draft_of(target, target.parent / f"{target.name}.tmp")
    with draft.writing() as writing:
        pq.write_table(ids, writing, coerce_timestamps="us")
    draft.publish()
    return len(ids)


def existing(file: Place) -> Place | None:
    """`file` itself if it is there and whole. Raises UnreadableFile."""
    if not file.exists():
        return None
    read_rows(file)
    return file


def newest(file: Place) -> datetime:
    """The newest event_time among the ids. Raises UnreadableFile."""
    time: datetime = pc.max(read_rows(file, ["event_time"])["event_time"]).as_py()
    return time
