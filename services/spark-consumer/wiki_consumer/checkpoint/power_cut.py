"""Repairs what a power cut may have left of a checkpoint, so that the query goes on by itself.

All that was there when the last batch was published is whole (`durability`). What came after it may be
missing, empty or half there, in any order, and nobody has seen it: the plan of the next batch, the commit of
the last one, and snapshots of the state, beside which the changes that they sum up are kept for some batches.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from wiki_consumer.checkpoint.batch_clock import VERSION, CheckpointUnreadable, clock_of
from wiki_consumer.checkpoint.state import COMMITTED_LOG, NO_BATCH, PLANNED_LOG, SPARKS, batches

_SNAPSHOTS: Final = "state/*/*/*.zip"

_log = structlog.get_logger()


def forget(checkpoint: Path) -> None:
    """Drop what Spark wrote in a checkpoint that has published nothing: its query reads the topic anew."""
    for name in SPARKS:
        shutil.rmtree(checkpoint / name, ignore_errors=True)
    _drop(checkpoint / "metadata")


def mend(checkpoint: Path, *, published: int, at: float) -> None:
    """Drop what can't be read, or may not be whole, of what came after batch `published`.

    That one's file was written `at` (seconds since the epoch). Damage of what came before stays.
    """
    _drop_unreadable(checkpoint / PLANNED_LOG, _is_plan, later_than=published)
    _drop_unreadable(checkpoint / COMMITTED_LOG, _is_commit, later_than=published - 1)
    for snapshot in checkpoint.glob(_SNAPSHOTS):
        if snapshot.stat().st_mtime >= at:
            _drop(snapshot)


def _drop_unreadable(log: Path, is_whole: Callable[[Path], bool], *, later_than: int) -> None:
    last = max(batches(log), default=NO_BATCH)
    file = log / str(last)
    if last > later_than and not is_whole(file):
        _log.warning(
            "dropped, since it can't be read: the machine stopped while it was written", last=str(file)
        )
        _drop(file)


def _is_plan(file: Path) -> bool:
    try:
        clock_of(file.parents[1], int(file.name))
        _, _, *offsets = file.read_text(encoding="utf-8").split("\n")
        return bool(offsets) and all(isinstance(json.loads(text), dict) for text in offsets)
    except (CheckpointUnreadable, ValueError):
        return False


def _is_commit(file: Path) -> bool:
    try:
        version, text = file.read_text(encoding="utf-8").split("\n")
        return version == VERSION and isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _drop(file: Path) -> None:
    """With its checksum."""
    file.unlink(missing_ok=True)
    file.with_name(f".{file.name}.crc").unlink(missing_ok=True)
