"""Where everything lies below DATA_DIR, for those who write there and those who read."""

import os
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator

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
def _is_time(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)
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


def _expanded(path: Path) -> Path:
    if any(character in str(path) for character in "\r\n\0"):
        raise ValueError("expected a path without line ends")
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError(str(error)) from None


FolderPath = Annotated[Path, AfterValidator(_expanded)]
"""A setting that names a folder; `~` at its start is the home directory."""


def hour_of(time: datetime) -> datetime:
    """The start of the hour (UTC) that `time` lies in."""
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def date_folder(day: date) -> str:
    """`date=2026-01-31`, as in `changes` and in `history`."""
    return f"date={day:%Y-%m-%d}"


def date_folders(folder: Path) -> list[str]:
    """The names of the dates' folders below `folder`, in order; none where it isn't there."""
    try:
        with os.scandir(folder) as entries:
            dates = [entry.name for entry in entries if _is_date_folder(entry.name)]
    except FileNotFoundError:
        return []
    return sorted(name for name in dates if (folder / name).is_dir())


def file_names(folder: Path) -> list[str]:
    """Of all files in a folder. Tens of thousands, each minute: names cost less than paths."""
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.is_file()]


@dataclass(frozen=True)
class Volume:
    """The folders that everybody may know of."""

    root: Path

    @property
    def changes(self) -> Path:
        """The rows that the consumer committed since the end of the history."""
        return self.root / "changes"

    @property
    def history(self) -> Path:
        """The closed hours, a file each."""
        return self.root / "history"

    @property
    def checkpoints(self) -> Path:
        """The consumer's own."""
        return self.root / "checkpoints"

    @property
    def baseline(self) -> Path:
        """What is usual: computed anew from the history, once an hour."""
        return self.root / "baseline.parquet"

    def hour_file(self, hour: datetime) -> Path:
        """`history/date=2026-01-31/hour=07/part-0.parquet` for the hour that begins at `hour` (UTC)."""
        return self.history / date_folder(hour) / f"hour={hour:%H}" / HISTORY_FILE

    def hours(self) -> list[datetime]:
        """The starts (UTC) of the hours that have a file, in order."""
        folders = (file.parent for file in self.history.glob(f"date=*/hour=*/{HISTORY_FILE}"))
        named = (_HOUR_FOLDER.fullmatch("/".join(folder.parts[-2:])) for folder in folders)
        hours = (f"{name[1]} {name[2]}" for name in named if name)
        return sorted(
            datetime.strptime(hour, _HOUR_FORMAT).replace(tzinfo=UTC)
            for hour in hours
            if _is_time(hour, _HOUR_FORMAT)
        )

    def history_end(self) -> datetime | None:
        """Every row before this time (UTC) is in the history; None without any hour."""
        hours = self.hours()
        return hours[-1] + HOUR if hours else None
