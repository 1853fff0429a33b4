"""A volume that Spark's own file sink wrote is taken over at the first start.

There a log, `changes/_spark_metadata`, said which of the files `part-….parquet` count; here each file in
`changes` counts. So each file that the log names gets a name of ours, the others are moved away, and the log
goes last. A new checkpoint wrote to `staging` first, with a log of its own: its files count as well.

Each step can be interrupted, and is done again by the next start. Every row that counts stays in exactly one
file meanwhile.
"""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeGuard
from urllib.parse import unquote

import structlog

from wiki_common.store.place import Place
from wiki_common.volume import FORMER_EPOCH, BatchId, RawFile
from wiki_consumer.volume.durable import make_folder, sync_folder
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.publishing import Publish
from wiki_consumer.volume.raw_files import SCHEMA, UnreadableFile, list_raw_files, read_rows

_LOG: Final = "_spark_metadata"
_VERSION: Final = "v1"
_NONE: Final = -1

_log = structlog.get_logger()


class FormerLogError(Exception):
    """The log of the former layout can't be read: names the file and what is wrong with it."""


@dataclass(frozen=True)
class _Log:
    """The last batch that a log has, and the files that it names, relative to the folder it lies in."""

    batch: int = _NONE
    files: tuple[str, ...] = ()


def is_former(volume: ConsumerVolume[Place]) -> TypeGuard[ConsumerVolume[Path]]:
    """Whether `take_over` has to be called before a batch is written; version 1.0 knew no object store."""
    return isinstance(volume.root, Path) and any(folder.exists() for folder in _left_by_it(volume.root))


def take_over(volume: ConsumerVolume, *, epoch: str | None, publish: Publish) -> None:
    """Let each file in `changes` count, and each row that counted be in one of them.

    A checkpoint that has batches goes on in `epoch`: its last batch is there already if the log has it. None
    for a new one. The query must not run. Raises FormerLogError or OSError; a later call goes on.
    """
    logs = log, staged, renumbered = [_read(folder) for folder in _logs(volume)]
    _move_staged(volume, staged)
    _rename(volume, [name for each in logs for name in each.files])
    if epoch is not None:
        counting = log
        if _staging(volume).exists():
            counting = staged
        if _logs(volume)[-1].exists():
            counting = renumbered
        _mark(volume, BatchId(epoch, counting.batch), publish)
    _finish(volume)
    _log.info("volume of the former layout taken over", files=len(list_raw_files(volume.changes)))


def take_over_without_log(volume: ConsumerVolume) -> None:
    """The same where the log can't be read, for a new checkpoint: all whole files, each row once.

    A batch that was interrupted left files whose rows its second run wrote again. Raises OSError.
    """
    _move_staged(volume, _Log(files=tuple(_part_files(_staging(volume)))))
    taken = {
        event_id for raw in list_raw_files(volume.changes) for event_id in _ids(volume.changes / raw.name)
    }
    for name in _part_files(volume.changes):
        try:
            ids = _ids(volume.changes / name)
        except UnreadableFile as error:
            _log.warning("not taken over: half-written or damaged", reason=str(error))
            continue
        if ids.isdisjoint(taken):
            taken |= ids
            _rename(volume, [name])
    _finish(volume)


def _left_by_it(root: Path) -> tuple[Path, ...]:
    volume = ConsumerVolume(root)
    return (*_logs(volume), _staging(volume))


def _logs(volume: ConsumerVolume) -> tuple[Path, Path, Path]:
    """Of `changes`, of `staging`, and the one made of both that was about to replace them."""
    return volume.changes / _LOG, _staging(volume) / _LOG, volume.checkpoints / "sink-log.new"


def _staging(volume: ConsumerVolume) -> Path:
    return volume.root / "staging"


def _read(folder: Path) -> _Log:
    """The last compacted batch `N.compact`, which repeats all before it, and the batches after it."""
    plain: dict[int, Path] = {}
    compacted: dict[int, Path] = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        number = path.name.removesuffix(".compact")
        if number.isdecimal():
            (plain if number == path.name else compacted)[int(number)] = path
    start = max(compacted, default=_NONE)
    last = max(start, max(plain, default=_NONE))
    if missing := [batch for batch in range(start + 1, last + 1) if batch not in plain]:
        raise FormerLogError(f"{folder}: batch {missing[0]} of {last} is missing")
    files = [compacted[start]] if compacted else []
    files += [plain[batch] for batch in range(start + 1, last + 1)]
    return _Log(last, tuple(dict.fromkeys(name for file in files for name in _names_in(file))))


def _names_in(file: Path) -> list[str]:
    try:
        version, *lines = file.read_text(encoding="utf-8").split("\n")
        if version != _VERSION:
            raise FormerLogError(f"{file}: begins with {version[:20]!r}, not with {_VERSION}")
        # Paths are URLs as the writer saw them; the volume may be mounted elsewhere here.
        return ["/".join(unquote(json.loads(line)["path"]).split("/")[-2:]) for line in lines if line]
    except (ValueError, KeyError, TypeError) as error:
        raise FormerLogError(f"{file}: {error!r}") from error


def _move_staged(volume: ConsumerVolume, staged: _Log) -> None:
    for name in staged.files:
        source, target = _staging(volume) / name, volume.changes / name
        if source.exists():
            make_folder(target.parent)
            source.replace(target)


def _rename(volume: ConsumerVolume, names: Iterable[str]) -> None:
    """One name after the other in order, so that readers see the files come as batches do."""
    taken = [raw.batch.number for raw in list_raw_files(volume.changes) if raw.batch.epoch == FORMER_EPOCH]
    number = max(taken, default=_NONE)
    for name in dict.fromkeys(names):
        path = volume.changes / name
        if path.exists():
            number += 1
            path.replace(volume.changes / RawFile(BatchId(FORMER_EPOCH, number), path.parent.name).name)


def _mark(volume: ConsumerVolume, batch: BatchId, publish: Publish) -> None:
    """Without rows: so the checkpoint's last batch isn't written again if it is run again."""
    files = list_raw_files(volume.changes)
    if files and batch.number != _NONE and batch not in (raw.batch for raw in files):
        publish(RawFile(batch, files[-1].date).name, SCHEMA.empty_table())


def _finish(volume: ConsumerVolume) -> None:
    """What is left counts for nothing: it is kept among the checkpoints, where nobody looks."""
    aside = volume.checkpoints / "former-layout"
    for name in _part_files(volume.changes):
        source, target = volume.changes / name, aside / name
        make_folder(target.parent)
        source.replace(target)
    for checksum in volume.changes.glob("date=*/.*.crc"):
        checksum.unlink()
    for folder in volume.changes.glob("date=*"):
        sync_folder(folder)
    # In this order what is left still tells, after a kill, where the checkpoint counts.
    for folder in (volume.changes / _LOG, _staging(volume), _logs(volume)[-1]):
        if folder.exists():
            going = aside / "going"
            make_folder(aside)
            shutil.rmtree(going, ignore_errors=True)
            folder.replace(going)
            shutil.rmtree(going)


def _part_files(folder: Path) -> list[str]:
    return sorted(f"{path.parent.name}/{path.name}" for path in folder.glob("date=*/part-*"))


def _ids(path: Path) -> set[str | None]:
    return set(read_rows(path, ["event_id"])["event_id"].to_pylist())
