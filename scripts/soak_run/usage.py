"""What the pipeline uses at a moment, and during a while."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from benchmarks import disk
from benchmarks.durations import Durations
from benchmarks.parts import PIPELINE, memory_bytes, open_files, threads


class Measure(Enum):
    """What is looked at: its name, its unit, and by how much of it two looks may differ by chance."""

    MEMORY = ("memory", "MB", 10.0)
    FILES = ("open files", "files", 5.0)
    THREADS = ("threads", "threads", 5.0)
    DISK = ("disk", "MB", 5.0)
    DURATION = ("duration", "s", 0.02)

    @property
    def title(self) -> str:
        return self.value[0]

    @property
    def unit(self) -> str:
        return self.value[1]

    @property
    def chance(self) -> float:
        return self.value[2]


class Key(NamedTuple):
    """A row: what is measured of whom."""

    measure: Measure
    of: str


Usage = Mapping[Key, float]
_OF_PARTS: Final = {Measure.MEMORY: memory_bytes, Measure.FILES: open_files, Measure.THREADS: threads}


@dataclass(frozen=True)
class Folders:
    """Where the run's data lies: below `data` what is the pipeline's own, below `state` the broker's too."""

    data: Path
    state: Path
    temporary: Path

    def each(self) -> Iterator[Path]:
        for folder in (self.data, self.state):
            yield from sorted(path for path in folder.iterdir() if path.is_dir())
        yield self.temporary


def now(folders: Folders) -> dict[Key, float]:
    """Of each part and each folder."""
    found = {
        Key(measure, part): used / (1e6 if measure is Measure.MEMORY else 1)
        for measure, by_part in _OF_PARTS.items()
        for part, used in by_part().items()
        if part in PIPELINE
    }
    return found | {Key(Measure.DISK, path.name): disk.size(path) / 1e6 for path in folders.each()}


def during(samples: Iterable[Usage]) -> dict[Key, float]:
    """The median of each, but of the disk the maximum: an hour's files are deleted all at once."""
    by_key: dict[Key, list[float]] = defaultdict(list)
    for sample in samples:
        for key, value in sample.items():
            by_key[key].append(value)
    return {
        key: max(found) if key.measure is Measure.DISK else median(found) for key, found in by_key.items()
    }


def of_durations(before: Mapping[str, Durations], after: Mapping[str, Durations]) -> Usage:
    """Means between two looks, by name. Raises ZeroDivisionError for what didn't happen."""
    return {Key(Measure.DURATION, name): later.since(before[name]).mean for name, later in after.items()}
