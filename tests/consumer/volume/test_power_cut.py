"""What a power cut leaves: of all that was written, renamed and made, only what was fsynced is sure.

A shim records what is done to the disk. Every prefix of the record is replayed, with what was not fsynced
dropped, kept, or half of it there, as a file system may order it.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from wiki_common.volume import BatchId, RawFile
from wiki_consumer.volume.drafts import write_text
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.publishing import Publisher
from wiki_consumer.volume.raw_files import SCHEMA, list_raw_files

EPOCH = "20260131T120000Z"


@dataclass(frozen=True)
class Done:
    """One thing done to the disk; `content` is what a file held when it was fsynced."""

    what: str
    path: Path
    target: Path | None = None
    content: bytes = b""


@dataclass
class Disk:
    """Records; `durable_names` are those that a power cut now would leave for certain, with their content."""

    done: list[Done] = field(default_factory=list)

    def after_a_cut(self, *, lucky: bool) -> dict[Path, bytes]:
        """The names and their contents. `lucky`: names got to the disk at once, without their fsync.

        A file's own bytes are there only if it was fsynced: that is the file system's worst.
        """
        contents: dict[Path, bytes] = {}
        names: dict[Path, bytes] = {}
        pending: list[Done] = []
        for done in self.done:
            if done.what == "write":
                contents[done.path] = b""
            elif done.what == "fsync":
                contents[done.path] = done.content
            elif done.what == "rename":
                assert done.target is not None
                contents[done.target] = contents.pop(done.path, b"")
                pending.append(done)
            elif done.what == "fsync folder":
                for rename in [each for each in pending if each.target and each.target.parent == done.path]:
                    pending.remove(rename)
                    names[rename.target or done.path] = contents[rename.target or done.path]
        if lucky:
            names |= {each.target: contents[each.target] for each in pending if each.target is not None}
        return names


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    recorded = Disk()
    names: dict[int, Path] = {}
    open_file, open_descriptor = Path.open, os.open
    fsync, replace = os.fsync, Path.replace

    def open_and_tell(path: Path, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        file = open_file(path, mode, *arguments, **named)
        if "w" in mode:
            names[file.fileno()] = path
            recorded.done.append(Done("write", path))
        return file

    def open_folder(path: Any, flags: int, *arguments: Any, **named: Any) -> int:
        descriptor = open_descriptor(path, flags, *arguments, **named)
        names[descriptor] = Path(path)
        return descriptor

    def fsync_and_tell(descriptor: int) -> None:
        fsync(descriptor)
        path = names[descriptor]
        if path.is_dir():
            recorded.done.append(Done("fsync folder", path))
        else:
            recorded.done.append(Done("fsync", path, content=path.read_bytes()))

    def replace_and_tell(path: Path, target: Path) -> Path:
        result = replace(path, target)
        recorded.done.append(Done("rename", path, target=Path(target)))
        return result

    monkeypatch.setattr(Path, "open", open_and_tell)
    monkeypatch.setattr(os, "open", open_folder)
    monkeypatch.setattr(os, "fsync", fsync_and_tell)
    monkeypatch.setattr(Path, "replace", replace_and_tell)
    return recorded


def rows(number: int) -> pa.Table:
    return pa.Table.from_pylist([{"event_id": f"{number}-{row}"} for row in range(20)], schema=SCHEMA)


def publish_some(volume: ConsumerVolume) -> list[str]:
    publish = Publisher(volume)
    names = []
    for number in range(3):
        for raw in (
            RawFile(BatchId(EPOCH, number), "date=2026-01-30", is_part=True),
            RawFile(BatchId(EPOCH, number), "date=2026-01-31"),
        ):
            publish(raw.name, rows(number))
            names.append(raw.name)
    return names


@pytest.mark.parametrize("lucky", [False, True])
def test_no_file_that_a_reader_would_take_is_ever_short(tmp_path: Path, disk: Disk, lucky: bool) -> None:
    volume = ConsumerVolume(tmp_path)
    names = publish_some(volume)
    assert [raw.name for raw in list_raw_files(volume.changes)] == names
    whole = list(disk.done)
    seen = set()
    for length in range(len(whole) + 1):
        left = Disk(whole[:length]).after_a_cut(lucky=lucky)
        for path, content in left.items():
            if volume.changes in path.parents:
                number = int(path.name.removesuffix(".parquet").removesuffix("-part")[-10:])
                assert pq.read_table(pa.BufferReader(content)).equals(rows(number)), (length, path)
                seen.add(path)
    assert len(seen) == len(names)


def test_what_was_published_survives_and_a_batch_is_not_there_before_its_parts(
    tmp_path: Path, disk: Disk
) -> None:
    volume = ConsumerVolume(tmp_path)
    publish = Publisher(volume)
    for number in range(2):
        part = RawFile(BatchId(EPOCH, number), "date=2026-01-30", is_part=True)
        last = RawFile(BatchId(EPOCH, number), "date=2026-01-31")
        publish(part.name, rows(number))
        publish(last.name, rows(number))
        assert volume.changes / last.name in disk.after_a_cut(lucky=False)
    for length in range(len(disk.done) + 1):
        left = Disk(disk.done[:length]).after_a_cut(lucky=True)
        names = {str(path.relative_to(volume.changes)) for path in left if volume.changes in path.parents}
        for number in range(2):
            batch = BatchId(EPOCH, number)
            whole = RawFile(batch, "date=2026-01-31").name in names
            assert not whole or RawFile(batch, "date=2026-01-30", is_part=True).name in names


@pytest.mark.parametrize("lucky", [False, True])
def test_a_text_is_there_whole_or_not_at_all(tmp_path: Path, disk: Disk, lucky: bool) -> None:
    file = tmp_path / "checkpoint/epoch"
    write_text(file, EPOCH)
    for length in range(len(disk.done) + 1):
        left = Disk(disk.done[:length]).after_a_cut(lucky=lucky)
        assert left.get(file) in (None, EPOCH.encode())
    assert disk.after_a_cut(lucky=False)[file] == EPOCH.encode()


def test_the_shim_sees_a_write_that_is_not_fsynced(tmp_path: Path, disk: Disk) -> None:
    """The same publishing without its fsync would leave an empty file."""
    temporary, target = tmp_path / "a.tmp", tmp_path / "a.parquet"
    file: BinaryIO
    with temporary.open("wb") as file:
        file.write(b"content")
    temporary.replace(target)
    assert disk.after_a_cut(lucky=True)[target] == b""
    assert target not in disk.after_a_cut(lucky=False)
