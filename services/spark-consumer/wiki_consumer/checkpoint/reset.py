"""A new beginning: the checkpoint is moved aside, and the consumer starts one that reads the topic anew."""

from datetime import datetime
from typing import Final

import structlog

from wiki_common.store.place import Place
from wiki_consumer.volume import former_layout
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.moving import move_file
from wiki_consumer.volume.raw_files import UnreadableFile, list_raw_files, read_rows

RESET: Final = "python -m wiki_consumer.checkpoint --reset"
"""The command that an operator is told."""

_log = structlog.get_logger()


def reset(volume: ConsumerVolume[Place], *, now: datetime) -> Place:
    """Move the checkpoint aside, and files that can't be read as well; where the checkpoint is now.

    The caller holds the lock.
    """
    if former_layout.is_former(volume):
        _take_over(volume)
    unreadable = volume.checkpoints / "unreadable"
    for raw in list_raw_files(volume.changes):
        path = volume.changes / raw.name
        try:
            read_rows(path)
        except UnreadableFile as error:
            target = unreadable / raw.name
            move_file(path, target)
            _log.warning("moved aside, since it can't be read", reason=str(error), to=str(target))
    return volume.set_aside(volume.checkpoint, "changes.reset", now=now)


def _take_over(volume: ConsumerVolume) -> None:
    try:
        former_layout.take_over(volume, epoch=None, publish=_no_batches)
    except former_layout.FormerLogError as error:
        _log.warning("the log of the former layout isn't used", reason=str(error))
        former_layout.take_over_without_log(volume)


def _no_batches(name: str, rows: object, coverage: object = None) -> None:
    """The checkpoint goes, and its batches with it."""
