"""A new checkpoint with a sink's log that is older than it.

A new checkpoint counts its batches from 0, and the sink skips a batch whose number its log has: its rows
would be lost in silence. So the first batches go to `staging`, with a log of their own; then one log
is made of both, numbered as the new checkpoint counts, and takes the old one's place. Readers see all rows
all the time.

Each step can be interrupted, and is done again by the next start: the staged files move first, since nobody
looks at files that no log names; the new log appears whole, by rename, and then `staging` isn't needed.
"""

import shutil
from datetime import datetime

from wiki_consumer.checkpoint.state import NO_BATCH, position
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.sink_log import COMPACT_INTERVAL, LOG_DIRECTORY, VERSION, read_sink_log, written


def is_needed(volume: ConsumerVolume) -> bool:
    """Whether the query must write to `staging` now, or has done so."""
    if volume.staging.exists() or volume.renumbered_log.exists():
        return True
    return position(volume.checkpoint).planned == NO_BATCH and read_sink_log(volume.changes).batch_id >= 0


def is_staged(volume: ConsumerVolume) -> bool:
    """Whether a batch is committed to `staging`, so that the query can be stopped and `finish` called."""
    return volume.renumbered_log.exists() or read_sink_log(volume.staging).batch_id >= 0


def finish(volume: ConsumerVolume, *, now: datetime) -> None:
    """Let one log name the old and the staged files. The query must not run."""
    if not volume.renumbered_log.exists():
        _write_log(volume)
    if volume.staging.exists():
        shutil.rmtree(volume.staging)
    old = volume.changes / LOG_DIRECTORY
    if old.exists():
        volume.set_aside(old, "sink-log.replaced", now=now)
    volume.renumbered_log.rename(old)


def _write_log(volume: ConsumerVolume) -> None:
    staged = read_sink_log(volume.staging)
    for name in staged.files:
        target = volume.changes / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            (volume.staging / name).rename(target)
    files = read_sink_log(volume.changes).files | staged.files
    building = volume.renumbered_log.with_suffix(".tmp")
    if building.exists():
        shutil.rmtree(building)
    building.mkdir()
    everything = written(volume.changes, files.values())
    for batch in range(staged.batch_id + 1):
        compacted = (batch + 1) % COMPACT_INTERVAL == 0
        content = everything if compacted or batch == 0 else VERSION
        (building / f"{batch}{'.compact' * compacted}").write_text(content, encoding="utf-8")
    building.rename(volume.renumbered_log)
