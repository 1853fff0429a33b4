"""What the query's checkpoint says: where it is, which topic it is of, and whether it fits `changes`."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from wiki_common.store.objects import ObjectPath
from wiki_common.store.place import Place
from wiki_consumer.volume.drafts import write_text

TOPIC_FILE: Final = "topic"
# Spark writes a file per batch to each: to the first before the batch runs, to the second once it is over.
PLANNED_LOG: Final = "offsets"
COMMITTED_LOG: Final = "commits"
SPARKS: Final = (PLANNED_LOG, COMMITTED_LOG, "sources", "state")
"""The folders in a checkpoint that Spark makes."""
NO_BATCH: Final = -1


class CheckpointMismatch(Exception):
    """The checkpoint doesn't belong to what it is used with; the message says why in one line."""


@dataclass(frozen=True)
class Position:
    """The last batches that the checkpoint planned and committed; NO_BATCH for none."""

    planned: int
    committed: int


def position(checkpoint: Place) -> Position:
    planned, committed = (
        max(batches(checkpoint / log), default=NO_BATCH) for log in (PLANNED_LOG, COMMITTED_LOG)
    )
    return Position(planned, committed)


def batches(log: Place) -> list[int]:
    """The numbers of the batches that a log of the checkpoint still has, in no order."""
    there = isinstance(log, ObjectPath) or log.is_dir()
    return [int(path.name) for path in log.iterdir() if path.name.isdecimal()] if there else []


def last_commit(checkpoint: Place) -> datetime | None:
    """When the newest batch was committed; None without one."""
    times = []
    for file in (checkpoint / COMMITTED_LOG).glob("*"):
        with suppress(FileNotFoundError):  # a JVM that lives on deletes what is superseded
            times.append(file.stat().st_mtime)
    return datetime.fromtimestamp(max(times), UTC) if times else None


def check(at: Position, last_written: int) -> None:
    """Raises CheckpointMismatch unless the files of the checkpoint's epoch end where it does.

    A batch whose file is there isn't written again: an older checkpoint would lose rows in silence.
    """
    if last_written > at.planned:
        raise CheckpointMismatch(
            f"the files in changes end with batch {last_written}, the checkpoint with {at.planned}:"
            f" batches up to {last_written} would be skipped"
        )
    if last_written < at.committed:
        raise CheckpointMismatch(
            f"the files in changes end with batch {last_written}, the checkpoint has committed"
            f" {at.committed}: files of changes are missing"
        )


def check_topic(checkpoint: Place, topic: str, topic_id: str) -> None:
    """Remember the topic with a new checkpoint; raises CheckpointMismatch if it is of another topic.

    Spark knows a topic by its name: one that was deleted and made again, and has grown since, would be read
    on from the middle.
    """
    name = f"{topic} (id {topic_id})"
    known = known_topic(checkpoint)
    if known is None:
        write_text(checkpoint / TOPIC_FILE, name)
    elif known != name:
        raise CheckpointMismatch(
            f"the checkpoint is of topic {known}, not of {name}: it was deleted and made again,"
            " or KAFKA_TOPIC was changed"
        )


def known_topic(checkpoint: Place) -> str | None:
    """The topic and its id, `wiki-changes (id …)`, that the checkpoint is of; None before it has one."""
    file = checkpoint / TOPIC_FILE
    return file.read_text(encoding="utf-8", errors="replace") if file.exists() else None
