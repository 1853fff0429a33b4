"""The query's checkpoint: whether it fits the sink's log, and how to begin a new one.

python -m wiki_consumer.checkpoint          says where the checkpoint is
python -m wiki_consumer.checkpoint --reset  moves it aside, so that the consumer begins a new one
"""

import argparse
import fcntl
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from wiki_consumer import logs, settings, sink_log_repair
from wiki_consumer.raw_files import UnreadableFile, read_rows
from wiki_consumer.sink_log import SinkLogError, read_sink_log
from wiki_consumer.volume import Volume

TOPIC_FILE = "topic"
RESET = "python -m wiki_consumer.checkpoint --reset"

_log = structlog.get_logger()


class CheckpointMismatch(Exception):
    """The checkpoint doesn't belong to what it is used with; the message says why in one line."""


@dataclass(frozen=True)
class Position:
    """The last batches that the checkpoint planned and committed; -1 for none."""

    planned: int
    committed: int


def position(checkpoint: Path) -> Position:
    return Position(_last(checkpoint / "offsets"), _last(checkpoint / "commits"))


def _last(log: Path) -> int:
    names = (path.name for path in log.iterdir()) if log.is_dir() else ()
    return max((int(name) for name in names if name.isdecimal()), default=-1)


def last_commit(checkpoint: Path) -> datetime | None:
    """When the newest batch was committed; None without one."""
    times = []
    for file in (checkpoint / "commits").glob("*"):
        with suppress(FileNotFoundError):  # a JVM that lives on deletes what is superseded
            times.append(file.stat().st_mtime)
    return datetime.fromtimestamp(max(times), UTC) if times else None


def check(at: Position, last_in_log: int) -> None:
    """Raises CheckpointMismatch unless the sink's log ends where the checkpoint does.

    The sink skips a batch whose number its log has already: an older checkpoint would lose rows in silence.
    """
    if last_in_log > at.planned:
        raise CheckpointMismatch(
            f"the sink's log ends with batch {last_in_log}, the checkpoint with {at.planned}:"
            f" batches up to {last_in_log} would be skipped"
        )
    if last_in_log < at.committed:
        raise CheckpointMismatch(
            f"the sink's log ends with batch {last_in_log}, the checkpoint has committed {at.committed}:"
            " files of changes/_spark_metadata are missing"
        )


def check_topic(checkpoint: Path, topic: str, topic_id: str) -> None:
    """Remember the topic with a new checkpoint; raises CheckpointMismatch if it is of another topic.

    Spark knows a topic by its name: one that was deleted and made again, and has grown since, would be read
    on from the middle.
    """
    file = checkpoint / TOPIC_FILE
    name = f"{topic} (id {topic_id})"
    if not file.exists():
        checkpoint.mkdir(parents=True, exist_ok=True)
        temporary = file.with_suffix(".tmp")
        temporary.write_text(name, encoding="utf-8")
        temporary.replace(file)
    elif (known := file.read_text(encoding="utf-8", errors="replace")) != name:
        raise CheckpointMismatch(
            f"the checkpoint is of topic {known}, not of {name}: it was deleted and made again,"
            " or KAFKA_TOPIC was changed"
        )


def drop_unused_start(checkpoint: Path) -> None:
    """Without a planned batch, remove where to begin: the query takes the topic's start anew.

    A crash may have left half of that file, and nothing depends on it yet.
    """
    if position(checkpoint).planned < 0:
        shutil.rmtree(checkpoint / "sources", ignore_errors=True)


@contextmanager
def exclusive(lock: Path) -> Iterator[bool]:
    """Whether nobody else writes to the volume; holds the consumer's lock meanwhile."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def reset(volume: Volume, *, now: datetime) -> Path:
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


_CONSEQUENCES = """\
What a reset does: the consumer begins a new checkpoint and reads the topic from its oldest record on.
What is lost: records that weren't yet in changes and that the topic no longer holds, or that are older than
  MAX_EVENT_AGE by then. Rows that are in changes or history stay, and none of them is written twice.
  A sink's log that can't be read, or that names a file that can't be, is made anew of the whole files in
  changes.
"""


def _describe(volume: Volume) -> str:
    at = position(volume.checkpoint)
    try:
        log = f"the sink's log ends with batch {read_sink_log(volume.changes).batch_id}"
    except SinkLogError as error:
        log = f"the sink's log can't be read: {error}"
    return f"{volume.checkpoint}: batch {at.planned} planned, {at.committed} committed; {log}\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m wiki_consumer.checkpoint")
    parser.add_argument("--reset", action="store_true", help="move the checkpoint aside and begin a new one")
    arguments = parser.parse_args()
    try:
        config = settings.read()
    except settings.InvalidSettings as error:
        settings.exit_naming(error)
    logs.configure(config.log_level, config.log_format)
    volume = Volume(config.data_dir)
    if not volume.checkpoint.is_dir():
        sys.stdout.write(f"{volume.checkpoint}: there is no checkpoint; the consumer will begin one\n")
        return 0
    sys.stdout.write(_describe(volume) + _CONSEQUENCES)
    if not arguments.reset:
        sys.stdout.write("Nothing was changed. To reset, stop the consumer and add --reset.\n")
        return 0
    with exclusive(volume.lock) as alone:
        if not alone:
            sys.stderr.write("Nothing was changed: the consumer is running; stop it first.\n")
            return 1
        aside = reset(volume, now=datetime.now(UTC))
    sys.stdout.write(
        f"The checkpoint is now {aside}.\n"
        f"To undo, before the consumer is started: mv {aside} {volume.checkpoint}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
