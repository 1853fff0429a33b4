"""Where everything lies below DATA_DIR, for those who write there and those who read."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final, Generic, cast

from wiki_common.store.objects import ObjectPath
from wiki_common.store.place import Place, PlaceT

HOUR: Final = timedelta(hours=1)
HISTORY_FILE: Final = "part-0.parquet"
# Other folders, such as a person's copies, are neither dates nor hours.
_DATE_FOLDER: Final = re.compile(r"date=([0-9]{4}-[0-9]{2}-[0-9]{2})")
_HOUR_FORMAT: Final = "%Y-%m-%d %H"
_HOUR_FOLDER: Final = re.compile(rf"{_DATE_FOLDER.pattern}/hour=([0-9]{{2}})")

EPOCH_FORMAT: Final = "%Y%m%dT%H%M%SZ"
FORMER_EPOCH: Final = "00000000T000000Z"
"""Of files that were taken over from version 1.0; it is before any other, and no time."""
_RAW_FILE: Final = re.compile(r"([0-9]{8}T[0-9]{6}Z)-([0-9]{10})(-part)?\.parquet")


@lru_cache(4096)  # the same few stand in tens of thousands of names
def _is_time(text: str, pattern: str) -> bool:
    try:
        datetime.strptime(text, pattern)
    except ValueError:
        return False
    return True


def _is_date_folder(name: str) -> bool:
    found = _DATE_FOLDER.fullmatch(name)
    return found is not None and _is_time(found[1], "%Y-%m-%d")


@dataclass(frozen=True, order=True)
class BatchId:
    """A batch of the consumer's query; later ones are greater, also after a reset.

    `epoch` says when the checkpoint began that counts it (`20260131T120000Z`), `number` is Spark's own.
    """

    epoch: str
    number: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.number:010d}"


@dataclass(frozen=True)
class RawFile:
    """A file in `changes`. Each batch has one that is no part, which appears after the parts.

    A part holds the batch's rows of another date than that file.
    """

    batch: BatchId
    date: str
    is_part: bool = False

    @property
    def name(self) -> str:
        """Below `changes`: `date=2026-01-31/20260131T120000Z-0000000042.parquet`."""
        return f"{self.date}/{self.batch}{'-part' * self.is_part}.parquet"

    @classmethod
    def named(cls, date: str, name: str) -> "RawFile | None":
        """The file `name` in the folder `date`; None for one that the consumer didn't write."""
        found = _RAW_FILE.fullmatch(name)
        if found is None or not _is_date_folder(date):
            return None
        if found[1] != FORMER_EPOCH and not _is_time(found[1], EPOCH_FORMAT):
            return None
        return cls(BatchId(found[1], int(found[2])), date, found[3] is not None)


def hour_of(time: datetime) -> datetime:
    """The start of the hour (UTC) that `time` lies in."""
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def date_folder(day: date) -> str:
    """`date=2026-01-31`, as in `changes` and in `history`."""
    return f"date={day:%Y-%m-%d}"


def date_folders(folder: Place) -> list[str]:
    """The names of the dates' folders below `folder`, in order; none where it isn't there."""
    if not isinstance(folder, Path):
        return sorted(name for name in folder.folders() if _is_date_folder(name))
    dates = filter(_is_date_folder, _names_in(folder))
    return sorted(name for name in dates if (folder / name).is_dir())


def _names_in(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries]
    except FileNotFoundError:
        return []


def file_names(folder: Place) -> list[str]:
    """Of all files in a folder. Tens of thousands, each minute: names cost less than paths."""
    if not isinstance(folder, Path):
        return [file.name for file in folder.iterdir()]
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.is_file()]


def _hour_named(date: str, hour: str) -> datetime | None:
    """The start (UTC) of the hour of these folders; None for others."""
    name = _HOUR_FOLDER.fullmatch(f"{date}/{hour}")
    if name is None or not _is_time(start := f"{name[1]} {name[2]}", _HOUR_FORMAT):
        return None
    return datetime.strptime(start, _HOUR_FORMAT).replace(tzinfo=UTC)


@lru_cache(4096)  # to make them costs more than to ask whether the file is there
def _hour_file(history: Path, date: str, hour: str) -> tuple[datetime, Path] | None:
    start = _hour_named(date, hour)
    return None if start is None else (start, history / date / hour / HISTORY_FILE)


def _hour_files(history: Path) -> Iterator[tuple[datetime, Path]]:
    """Each question about a past moment looks at them all: a glob costs three times as much."""
    names = ((each, hour) for each in date_folders(history) for hour in _names_in(history / each))
    found = (_hour_file(history, *folders) for folders in names)
    return (hour for hour in found if hour is not None and hour[1].exists())


def _hour_objects(history: ObjectPath) -> Iterator[tuple[datetime, ObjectPath]]:
    """With one list."""
    for file in history.glob(f"date=*/hour=*/{HISTORY_FILE}"):
        start = _hour_named(*file.parent.parts[-2:])
        if start is not None:
            yield start, file


@dataclass(frozen=True)
class Volume(Generic[PlaceT]):
    """The folders that everybody may know of."""

    root: PlaceT

    @property
    def changes(self) -> PlaceT:
        """The rows that the consumer committed since the end of the history."""
        return cast(PlaceT, self.root / "changes")

    @property
    def history(self) -> PlaceT:
        """The closed hours, a file each."""
        return cast(PlaceT, self.root / "history")

    @property
    def checkpoints(self) -> PlaceT:
        """The consumer's own."""
        return cast(PlaceT, self.root / "checkpoints")

    @property
    def baseline(self) -> PlaceT:
        """What is usual: computed anew from the history, once an hour."""
        return cast(PlaceT, self.root / "baseline.parquet")

    def hour_file(self, hour: datetime) -> PlaceT:
        """`history/date=2026-01-31/hour=07/part-0.parquet` for the hour that begins at `hour` (UTC)."""
        return cast(PlaceT, self.history / date_folder(hour) / f"hour={hour:%H}" / HISTORY_FILE)

    def hour_files(self) -> dict[datetime, PlaceT]:
        """Of the hours that have one, by their starts (UTC), in order. Raises OSError."""
        history: Place = self.history
        found = _hour_files(history) if isinstance(history, Path) else _hour_objects(history)
        return cast(dict[datetime, PlaceT], dict(sorted(found)))

    def hours(self) -> list[datetime]:
        """The starts (UTC) of the hours that have a file, in order."""
        return list(self.hour_files())

    def history_end(self) -> datetime | None:
        """Every row before this time (UTC) is in the history; None without any hour."""
        hours = self.hours()
        return hours[-1] + HOUR if hours else None
