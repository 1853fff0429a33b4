"""The file sink's own log, `changes/_spark_metadata`: which raw files count.

Spark writes one file per batch, named by the batch's number, and now and then `N.compact`, which holds all
that was committed up to batch N and replaces what came before. The first line is `v1`, each other line a
file as JSON. A name appears by rename once it is whole, so a reader never sees half of one; names that are
no number are writes in flight or checksums.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import unquote

LOG_DIRECTORY: Final = "_spark_metadata"
VERSION: Final = "v1"
READ_ATTEMPTS: Final = 5
# Every so many batches Spark writes all entries, some ten thousand, to one file. That batch takes twice as
# long as others: so few are to be so slow that the slowest in a hundred is none of them.
COMPACT_INTERVAL: Final = 240
COMPACT_INTERVAL_SETTING: Final = "spark.sql.streaming.fileSink.log.compactInterval"
_BLOCK_BYTES: Final = 32 * 1024 * 1024


class SinkLogError(Exception):
    """The sink's log can't be read: names the file and what is wrong with it."""


@dataclass(frozen=True)
class CommittedFile:
    """A raw file that counts. `name` is relative to `changes`: `date=2026-01-31/part-….parquet`."""

    name: str
    modified_at: datetime


@dataclass(frozen=True)
class SinkLog:
    """What is committed up to and with `batch_id` (-1: nothing yet)."""

    batch_id: int
    files: dict[str, CommittedFile]


def read_sink_log(changes: Path) -> SinkLog:
    """The log's newest state. Raises SinkLogError if a file of it is missing or can't be understood."""
    for _ in range(READ_ATTEMPTS):
        batches = _batches(changes / LOG_DIRECTORY)
        try:
            files = [file for path in batches.values() for file in _read_batch(path)]
        except FileNotFoundError:
            continue  # Spark compacted the log and removed what it replaced
        committed: dict[str, CommittedFile] = {}
        for file, added in files:
            if added:
                committed[file.name] = file
            else:
                committed.pop(file.name, None)
        return SinkLog(max(batches, default=-1), committed)
    raise SinkLogError(
        f"{changes / LOG_DIRECTORY}: its files vanished during {READ_ATTEMPTS} attempts to read them"
    )


def compact_interval(changes: Path) -> int:
    """COMPACT_INTERVAL, or for a log that was compacted at other intervals, the largest part of it that fits.

    Spark takes the next larger divisor of the batches up to the last compaction, which may be all of them:
    the log would have as many files before it is compacted again.
    """
    _, compacted = _files(changes / LOG_DIRECTORY)
    return math.gcd(COMPACT_INTERVAL, max(compacted, default=-1) + 1)


def _batches(log: Path) -> dict[int, Path]:
    """The files that make up the newest state, by batch: the last compacted one and all after it."""
    plain, compacted = _files(log)
    start = max(compacted, default=-1)
    last = max(start, max(plain, default=-1))
    if missing := [batch for batch in range(start + 1, last + 1) if batch not in plain]:
        raise SinkLogError(f"{log}: batch {missing[0]} of {last} is missing")
    newest = {start: compacted[start]} if compacted else {}
    return newest | {batch: plain[batch] for batch in range(start + 1, last + 1)}


def _files(log: Path) -> tuple[dict[int, Path], dict[int, Path]]:
    """The files of single batches and the compacted ones, by batch."""
    plain: dict[int, Path] = {}
    compacted: dict[int, Path] = {}
    for path in log.iterdir() if log.is_dir() else ():
        number = path.name.removesuffix(".compact")
        if number.isdecimal():
            (plain if number == path.name else compacted)[int(number)] = path
    return plain, compacted


def _read_batch(path: Path) -> list[tuple[CommittedFile, bool]]:
    try:
        version, *lines = path.read_text(encoding="utf-8").split("\n")
        if version != VERSION:
            raise SinkLogError(f"{path}: begins with {version[:20]!r}, not with {VERSION}")
        return [_parse(line) for line in lines if line]
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise SinkLogError(f"{path}: {error!r}") from error


def _parse(line: str) -> tuple[CommittedFile, bool]:
    entry = json.loads(line)
    # The path is a URL, absolute as the writer saw it; the volume may be mounted elsewhere here.
    name = "/".join(unquote(entry["path"]).split("/")[-2:])
    if not name.startswith("date=") or entry["action"] not in ("add", "delete"):
        raise ValueError(line)
    modified_at = datetime.fromtimestamp(entry["modificationTime"] / 1000, UTC)
    return CommittedFile(name, modified_at), entry["action"] == "add"


def written(changes: Path, files: Iterable[CommittedFile]) -> str:
    """One batch of the log that adds `files`, as far as they exist."""
    lines = [VERSION]
    for file in files:
        path = changes / file.name
        if path.exists():
            entry = {
                "path": path.resolve().as_uri(),
                "size": path.stat().st_size,
                "isDir": False,
                "modificationTime": round(file.modified_at.timestamp() * 1000),
                "blockReplication": 1,
                "blockSize": _BLOCK_BYTES,
                "action": "add",
            }
            lines.append(json.dumps(entry))
    return "\n".join(lines)
