"""The checkpoint: whether somebody writes, how old its last batch is, and whether it fits topic and files."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from wiki_common.doctor.finding import Finding, note, ok, problem
from wiki_common.store.place import Place
from wiki_common.volume import RawFile
from wiki_consumer.checkpoint import state
from wiki_consumer.checkpoint.batch_clock import CheckpointUnreadable, clock_of
from wiki_consumer.checkpoint.epoch import known_epoch
from wiki_consumer.checkpoint.lock import NotWritable, exclusive
from wiki_consumer.checkpoint.reset import RESET
from wiki_consumer.settings import Settings
from wiki_consumer.status.health import MIN_SILENCE, TRIGGERS
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.raw_files import list_raw_files

AHEAD: Final = timedelta(minutes=1)
"""A batch that was planned so far ahead of our clock was planned by another clock."""


def check_checkpoint(settings: Settings, *, running: bool) -> Iterator[Finding]:
    """If `running`, a consumer should be at work, so its last commit should be recent."""
    volume = ConsumerVolume(settings.data_dir)
    if not volume.checkpoint.is_dir():
        yield from _without_checkpoint(volume, running=running)
        return
    try:
        yield _lock(volume, running=running)
        yield from _epoch(volume)
        yield _topic(volume, settings.kafka_topic)
        yield commit_finding(
            state.last_commit(volume.checkpoint),
            datetime.now(UTC),
            expected=running,
            silence=max(timedelta(seconds=MIN_SILENCE), TRIGGERS * settings.trigger_interval),
        )
        yield _clock(volume)
    except NotWritable as error:
        yield problem("checkpoint lock", str(error))
    except OSError as error:
        yield problem("checkpoint", f"{error}: let the consumer's user (10001 in its container) read it")


def _without_checkpoint(volume: ConsumerVolume[Place], *, running: bool) -> Iterator[Finding]:
    if list_raw_files(volume.changes):
        yield note("checkpoint", "there is none beside files in changes: the consumer will begin a new one")
    elif running:
        yield problem("checkpoint", "there is none: the consumer has not begun to read; see its log")
    else:
        yield ok("checkpoint", "none yet: the consumer will begin one")


def _lock(volume: ConsumerVolume[Place], *, running: bool) -> Finding:
    what = "checkpoint lock"
    if not volume.lock.exists():
        return note(what, "nobody has ever held it: was this volume restored by hand?")
    with exclusive(volume.lock) as free:
        if not free:
            return ok(what, "held: a consumer is at work")
    if running:
        return problem(what, "nobody holds it: no consumer is at work here; see its log")
    return ok(what, "nobody holds it: no consumer is at work here")


def _epoch(volume: ConsumerVolume[Place]) -> Iterator[Finding]:
    """The checkpoint's position is looked at before the files and after: batches go on meanwhile."""
    what = "checkpoint epoch"
    try:
        epoch = known_epoch(volume.checkpoint)
        committed = state.position(volume.checkpoint).committed
        last = _last_written(list_raw_files(volume.changes), epoch)
        at = state.Position(state.position(volume.checkpoint).planned, committed)
        if epoch is not None:
            state.check(at, last)
    except state.CheckpointMismatch as error:
        yield problem(what, f"{error}. To begin a new checkpoint: {RESET} (docs/recovery.md)")
        return
    yield ok(what, "none yet" if epoch is None else f"{epoch}, batch {at.committed} committed")


def _last_written(files: list[RawFile], epoch: str | None) -> int:
    numbers = (raw.batch.number for raw in files if raw.batch.epoch == epoch and not raw.is_part)
    return max(numbers, default=state.NO_BATCH)


def _topic(volume: ConsumerVolume[Place], topic: str) -> Finding:
    what, known = "checkpoint topic", state.known_topic(volume.checkpoint)
    if known is None:
        return ok(what, "none yet")
    if known.partition(" ")[0] != topic:
        return problem(
            what,
            f"the checkpoint is of topic {known}, KAFKA_TOPIC={topic}: set it back, or begin a new"
            f" checkpoint: {RESET} (docs/recovery.md)",
        )
    return ok(what, known)


def commit_finding(last: datetime | None, now: datetime, *, expected: bool, silence: timedelta) -> Finding:
    """Whether the newest batch was committed within `silence`, where that has to be."""
    what = "checkpoint commit"
    if last is None:
        return ok(what, "none yet")
    age = (now - last).total_seconds()
    if expected and age > silence.total_seconds():
        return problem(what, f"the last batch was committed {age:.0f} s ago: see the consumer's log")
    return ok(what, f"the last batch was committed {max(age, 0.0):.0f} s ago")


def _clock(volume: ConsumerVolume[Place]) -> Finding:
    what, planned = "checkpoint clock", state.position(volume.checkpoint).planned
    if planned == state.NO_BATCH:
        return ok(what, "no batch yet")
    try:
        ahead = clock_of(volume.checkpoint, planned) - datetime.now(UTC)
    except CheckpointUnreadable as error:
        return problem(what, f"{error}: docs/recovery.md says what to do")
    if ahead > AHEAD:
        seconds = f"{ahead.total_seconds():.0f} s"
        return problem(what, f"the last batch's is {seconds} ahead of ours: set ours by a time server")
    return ok(what, "no batch is ahead of ours")
