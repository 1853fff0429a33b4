"""Until when no batch can write rows any more, told from the query's checkpoint.

A batch drops rows older than its own clock − MAX_EVENT_AGE, and its clock is written to `offsets/N` before
it starts; a batch that a crash interrupted runs again with that clock, however old. `commits/N` follows once
its files are in the sink's log. Batches run in sequence. So rows older than the last committed batch's clock
− MAX_EVENT_AGE are all in the log, and only a batch that is planned and not committed can be further back
than that.

This needs no rule for a start or for a batch that takes long: it speaks of committed batches only.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

VERSION: Final = "v1"
# A clock that is set back by up to this much between two batches changes nothing.
CLOCK_MARGIN: Final = timedelta(minutes=5)


class CheckpointUnreadable(Exception):
    """The checkpoint doesn't say when its batches ran: names the file and what is wrong with it."""


def settled_until(checkpoint: Path, *, max_event_age: timedelta, now: datetime) -> datetime | None:
    """Every row before this time that will ever be in the sink's log is in it now; None if nothing is known.

    `now` stands for the batches to come, whose clock may have been set back. Raises CheckpointUnreadable.
    """
    committed = max(_batch_ids(checkpoint / "commits"), default=None)
    if committed is None:
        return None
    planned = [batch for batch in _batch_ids(checkpoint / "offsets") if batch > committed]
    clocks = [_clock(checkpoint / "offsets" / str(batch)) for batch in (committed, *planned)]
    return min(now, *clocks) - max_event_age - CLOCK_MARGIN


def _batch_ids(log: Path) -> list[int]:
    return [int(path.name) for path in log.iterdir() if path.name.isdecimal()] if log.is_dir() else []


def _clock(offsets: Path) -> datetime:
    try:
        version, metadata, *_ = offsets.read_text(encoding="utf-8").split("\n")
        if version != VERSION:
            raise CheckpointUnreadable(f"{offsets}: begins with {version[:20]!r}, not with {VERSION}")
        return datetime.fromtimestamp(json.loads(metadata)["batchTimestampMs"] / 1000, UTC)
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise CheckpointUnreadable(f"{offsets}: {error!r}") from error
