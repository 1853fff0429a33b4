"""The epoch of a checkpoint: the first half of the names of all files that its batches write.

A new checkpoint counts its batches from 0, and has an epoch that is greater than all before: so its files
have names of their own, which come after those of the checkpoint before.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from wiki_common.store.place import Place
from wiki_common.volume import EPOCH_FORMAT, FORMER_EPOCH, RawFile
from wiki_consumer.checkpoint.state import CheckpointMismatch
from wiki_consumer.volume.drafts import write_text

EPOCH_FILE: Final = "epoch"


def epoch_of(checkpoint: Place, files: Iterable[RawFile], *, now: datetime) -> str:
    """The checkpoint's epoch; one that has none gets it now. Raises CheckpointMismatch if it is unreadable.

    `files` are those that earlier checkpoints wrote: the clock may have been set back since.
    """
    if (known := known_epoch(checkpoint)) is not None:
        return known
    start = now.astimezone(UTC).replace(microsecond=0)
    newest = max((raw.batch.epoch for raw in files), default=None)
    if newest is not None and newest != FORMER_EPOCH:
        start = max(start, _time(newest) + timedelta(seconds=1))
    epoch = f"{start:{EPOCH_FORMAT}}"
    write_text(checkpoint / EPOCH_FILE, epoch)
    return epoch


def known_epoch(checkpoint: Place) -> str | None:
    """The epoch that the checkpoint has, None before it got one. Raises CheckpointMismatch."""
    file = checkpoint / EPOCH_FILE
    if not file.exists():
        return None
    text = file.read_text(encoding="utf-8", errors="replace")
    try:
        _time(text)
    except ValueError:
        raise CheckpointMismatch(f"{file}: {text[:20]!r} is no epoch") from None
    return text


def _time(epoch: str) -> datetime:
    return datetime.strptime(epoch, EPOCH_FORMAT).replace(tzinfo=UTC)
