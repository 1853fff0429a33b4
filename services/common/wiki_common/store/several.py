"""Many files of the volume, one after the other on a disk, side by side in an object store."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from wiki_common.store.place import Place

AT_ONCE: Final = 16
"""Requests: each is an answer's way there and back, in which nothing else is done."""

ReadT = TypeVar("ReadT")


def each_of(files: Sequence[Place], read: Callable[[Place], ReadT]) -> Iterator[ReadT]:
    """What `read` gives of each, in order; raises what it raises of the first that fails."""
    if all(isinstance(file, Path) for file in files) or len(files) == 1:
        yield from map(read, files)
        return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(read, files)
