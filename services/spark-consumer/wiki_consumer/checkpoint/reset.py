"""A new beginning: the checkpoint is moved aside, and the consumer starts one that reads the topic anew."""

from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from wiki_consumer.volume import sink_log_repair
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.raw_files import UnreadableFile, read_rows
from wiki_consumer.volume.sink_log import SinkLogError, read_sink_log

RESET: Final = "python -m wiki_consumer.checkpoint --reset"
"""The command that an operator is told."""

_log = structlog.get_logger()


def reset(volume: ConsumerVolume, *, now: datetime) -> Path:
    """Move the checkpoint aside, and make the sink's log anew of the whole files if it, or a file that it
    names, can't be read; returns where the checkpoint is now.

    The caller holds the lock.
    """
    try:
        for folder in (volume.changes, volume.staging):
            for name in read_sink_log(folder).files:
                read_rows(folder / name)
    except (SinkLogError, UnreadableFile) as error:
        _log.warning("the sink's log is made anew", reason=str(error))
        sink_log_repair.rebuild(volume)
    return volume.set_aside(volume.checkpoint, "changes.reset", now=now)
