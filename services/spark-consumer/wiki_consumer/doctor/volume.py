"""The volume: whether we can write to it, what lies there, and on what kind of disk."""

import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from wiki_common.doctor.finding import Finding, note, ok, problem
from wiki_common.doctor.volume import check_disk
from wiki_common.store.bucket import Changed
from wiki_common.store.objects import ObjectPath
from wiki_common.store.place import Place
from wiki_consumer.volume import former_layout
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.raw_files import UnreadableFile, list_raw_files, read_footer

_WHO = "let it be written to by the user that the consumer runs as (10001 in its container)"


def check_volume(data_dir: Place) -> Iterator[Finding]:
    """Without what depends on a folder that can't be used."""
    if not isinstance(data_dir, Path):
        yield from _check_store(data_dir)
        return
    volume = ConsumerVolume(data_dir)
    try:
        if not data_dir.exists():
            yield problem("volume", f"there is no folder DATA_DIR={data_dir}: mount it, or set DATA_DIR")
            return
        _write(data_dir)
        closed = [each for each in _ours(volume) if not os.access(each, os.R_OK | os.W_OK | os.X_OK)]
        if closed:
            yield problem("volume rights", f"no right to write to {', '.join(map(str, closed))}: {_WHO}")
            return
        yield ok("volume rights", f"{data_dir} can be written to")
        yield from check_disk(data_dir)
        yield from layout_findings(volume)
    except OSError as error:
        yield problem("volume rights", f"DATA_DIR={data_dir}: {error.strerror or error}: {_WHO}")


def _write(folder: Path) -> None:
    """As a batch does: up to the disk. It has no name there, so nothing of it can stay."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"doctor")
        file.flush()
        os.fsync(file.fileno())


def _check_store(data_dir: ObjectPath) -> Iterator[Finding]:
    """Whether all that the consumer does there is allowed, and whether conditions are held to."""
    what, probe = "volume rights", data_dir / "checkpoints" / f"doctor-{uuid.uuid4().hex}"
    try:
        probe.write_bytes(b"doctor", if_absent=True)
        try:
            probe.read_bytes()
            data_dir.folders()
            if not _refuses_a_second(probe):
                yield problem(what, f"{data_dir}: the store passes over If-None-Match, which is needed")
                return
        finally:
            probe.unlink()
        yield ok(what, f"{data_dir} can be written to")
        yield from layout_findings(ConsumerVolume(data_dir))
    except OSError as error:
        yield problem(what, f"DATA_DIR={data_dir}: {error.strerror}: see docs/operations.md")


def _refuses_a_second(probe: ObjectPath) -> bool:
    try:
        probe.write_bytes(b"again", if_absent=True)
    except Changed:
        return True
    return False


def _ours(volume: ConsumerVolume) -> Iterator[Path]:
    for folder in (volume.changes, volume.history, volume.checkpoints):
        if folder.exists():
            yield folder
            yield from folder.glob("date=*")


def layout_findings(volume: ConsumerVolume[Place]) -> Iterator[Finding]:
    """What the names say, and whether the newest file can be read."""
    what = "volume layout"
    if former_layout.is_former(volume):
        yield note(what, "of version 1.0: the consumer takes it over at its next start")
        return
    files, hours = list_raw_files(volume.changes), volume.hours()
    if not files and not hours:
        yield ok(what, "nothing yet")
        return
    end = volume.history_end()
    history = "no history" if end is None else f"{len(hours)} hours of history up to {end:%Y-%m-%d %H:%M} UTC"
    newest = next((raw for raw in reversed(files) if not raw.is_part), None)
    if newest is not None:
        try:
            read_footer(volume.changes / newest.name)
        except UnreadableFile as error:
            yield problem(what, f"{error}: docs/recovery.md says what to do")
            return
    yield ok(what, f"{len(files)} files in changes, {history}")
