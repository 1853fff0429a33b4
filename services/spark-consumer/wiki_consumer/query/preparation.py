"""Brings the checkpoint and the folder into agreement before the first batch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from wiki_common.store.place import Place
from wiki_common.volume import HOUR, RawFile
from wiki_consumer.checkpoint import power_cut, state
from wiki_consumer.checkpoint.epoch import epoch_of
from wiki_consumer.query import known_ids
from wiki_consumer.volume import former_layout
from wiki_consumer.volume.as_of import last_as_of
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.publishing import Publish, Publisher
from wiki_consumer.volume.raw_files import list_raw_files

# Rows that are a little older than the filter may be read again if the clock is set back.
KNOWN_MARGIN: Final = timedelta(hours=1)

_log = structlog.get_logger()


@dataclass(frozen=True)
class Prepared:
    """What the next batch goes on from: everything up to `as_of` is counted, None if that isn't known."""

    epoch: str
    next_batch: int
    publish: Publish
    as_of: datetime | None


def prepare(volume: ConsumerVolume[Place], *, max_event_age: timedelta) -> Prepared:
    """Let the query go on where the files in `changes` end, or begin anew without a checkpoint.

    Nobody else may write to the volume. Raises CheckpointMismatch, FormerLogError, UnreadableFile, OSError.
    """
    now, publish = datetime.now(UTC), Publisher(volume)
    publish.clear()
    epoch = epoch_of(volume.checkpoint, list_raw_files(volume.changes), now=now)
    if former_layout.is_former(volume):
        is_new = state.position(volume.checkpoint).planned == state.NO_BATCH
        former_layout.take_over(volume, epoch=None if is_new else epoch, publish=publish)
    files = list_raw_files(volume.changes)
    at = _reconciled(volume, [raw for raw in files if raw.batch.epoch == epoch])
    if at.planned == state.NO_BATCH:
        since = now - max_event_age - KNOWN_MARGIN
        known = known_ids.write(volume.known_ids, _files_since(volume, files, since), since=since)
        _log.warning("new checkpoint: reading the topic from its start", known_ids=known)
    return Prepared(epoch, at.committed + 1, publish, last_as_of(volume.changes, files))


def _reconciled(volume: ConsumerVolume[Place], files: Sequence[RawFile]) -> state.Position:
    """Where the checkpoint that wrote `files` is, without what a power cut left of it."""
    checkpoint = volume.checkpoint
    whole = [raw for raw in files if not raw.is_part]
    last = max((raw.batch.number for raw in whole), default=state.NO_BATCH)
    # An object store keeps what it acknowledged, and a plan that is there may be another consumer's too.
    if isinstance(checkpoint, Path):
        if not files and state.position(checkpoint).committed == state.NO_BATCH:
            power_cut.forget(checkpoint)
        if whole:
            written_at = (volume.changes / whole[-1].name).stat().st_mtime
            power_cut.mend(checkpoint, published=last, at=written_at)
    at = state.position(checkpoint)
    state.check(at, last)
    return at


def _files_since(volume: ConsumerVolume[Place], files: Sequence[RawFile], since: datetime) -> Iterator[Place]:
    """All files that may have rows from `since` on, `files` being those in `changes`."""
    for raw in files:
        yield volume.changes / raw.name
    for hour in volume.hours():
        if hour + HOUR > since:
            yield volume.hour_file(hour)
