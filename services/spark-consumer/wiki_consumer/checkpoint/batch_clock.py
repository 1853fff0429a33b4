"""Until when no batch can write rows any more, told from the query's checkpoint.

A batch drops rows older than its own clock − MAX_EVENT_AGE, and its clock is written to `offsets/N` before
it starts; a batch that a crash interrupted runs again with that clock, however old. `commits/N` follows once
its files are in `changes`. Batches run one after the other. So rows older than the last committed batch's
clock − MAX_EVENT_AGE are all in `changes`, and only a batch that is planned and not committed can be further
back than that.

This needs no rule for a start or for a batch that takes long: it speaks of committed batches only.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Final

from wiki_common.store.objects import ObjectPath
from wiki_common.store.place import Place
from wiki_consumer.checkpoint.state import NO_BATCH, PLANNED_LOG, batches, position

VERSION: Final = "v1"
# A clock that is set back by up to this much between two batches changes nothing.
CLOCK_MARGIN: Final = timedelta(minutes=5)


class CheckpointUnreadable(Exception):
    """The checkpoint doesn't say when its batches ran: names the file and what is wrong with it."""


def complete_until(checkpoint: Place, *, max_event_age: timedelta, now: datetime) -> datetime | None:
    """Every row before this time that will ever be in `changes` is there now; None if nothing is known.

    `now` stands for the batches to come, whose clock may have been set back. Raises CheckpointUnreadable.
    """
    committed = position(checkpoint).committed
    if committed == NO_BATCH:
        return None
    planned = [batch for batch in batches(checkpoint / PLANNED_LOG) if batch > committed]
    clocks = [clock_of(checkpoint, batch) for batch in (committed, *planned)]
    return min(now, *clocks) - max_event_age - CLOCK_MARGIN


def clock_of(checkpoint: Place, batch: int) -> datetime:
    """When `batch` was planned, which stays what it is when the batch runs again (UTC).

    Raises CheckpointUnreadable.
    """
    planned = checkpoint / PLANNED_LOG / str(batch)
    try:
        version, metadata, *_ = planned.read_text(encoding="utf-8").split("\n")
        if version != VERSION:
            raise CheckpointUnreadable(f"{planned}: begins with {version[:20]!r}, not with {VERSION}")
        return datetime.fromtimestamp(json.loads(metadata)["batchTimestampMs"] / 1000, UTC)
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        absent = isinstance(error, FileNotFoundError)
        if isinstance(planned, ObjectPath) and isinstance(error, OSError) and not absent:
            raise  # the store doesn't answer, which tells nothing of the checkpoint
        raise CheckpointUnreadable(f"{planned}: {error!r}") from error
