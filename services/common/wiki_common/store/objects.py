"""A place in a bucket, with the part of pathlib.Path's methods that the volume's users call."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from wiki_common.store.bucket import Bucket, ObjectStat
from wiki_common.store.reading import ObjectReader


@dataclass(frozen=True, order=True)
class ObjectPath:
    """`s3://bucket/key`. A folder is there while an object is below it; nothing makes or removes one.

    What is asked of the store raises OSError. `listed` is what a listing told of it.
    """

    bucket: Bucket = field(compare=False)
    key: str
    listed: ObjectStat | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"s3://{self.bucket.name}/{self.key}"

    def __truediv__(self, name: str) -> ObjectPath:
        return replace(self, key=f"{self.key}/{name}" if self.key else name, listed=None)

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.key.split("/"))

    @property
    def name(self) -> str:
        return self.key.rpartition("/")[2]

    @property
    def parent(self) -> ObjectPath:
        return replace(self, key=self.key.rpartition("/")[0], listed=None)

    def exists(self) -> bool:
        """Whether there is an object, not just a folder."""
        try:
            self.bucket.head(self.key)
        except FileNotFoundError:
            return False
        return True

    def is_dir(self) -> bool:
        return next(self.bucket.keys(self._prefix(), most=1), None) is not None

    def stat(self) -> ObjectStat:
        return self.listed or self.bucket.head(self.key)

    def iterdir(self) -> Iterator[ObjectPath]:
        """The objects in the folder; not the folders in it, which `folders` names."""
        prefix = self._prefix()
        for key, stat in self.bucket.keys(prefix):
            if "/" not in key.removeprefix(prefix):
                yield replace(self, key=key, listed=stat)

    def folders(self) -> list[str]:
        return self.bucket.folders(self._prefix())

    def glob(self, pattern: str) -> Iterator[ObjectPath]:
        """The objects below that match; `*` stands for any part of a name."""
        prefix, wanted = self._prefix(), pattern.split("/")
        for key, stat in self.bucket.keys(prefix):
            names = key.removeprefix(prefix).split("/")
            if len(names) == len(wanted) and all(map(fnmatchcase, names, wanted)):
                yield replace(self, key=key, listed=stat)

    def all_below(self) -> Iterator[ObjectPath]:
        """Every object in the folder and in its folders."""
        return (replace(self, key=key, listed=stat) for key, stat in self.bucket.keys(self._prefix()))

    def open(self, mode: str) -> io.BufferedIOBase:
        """For reading bytes."""
        if mode != "rb":
            raise ValueError(f"{mode}: an object is written whole")
        return io.BufferedReader(ObjectReader(self.bucket, self.key), 1 << 16)

    def read_bytes(self) -> bytes:
        return self.bucket.get(self.key).data

    def read_text(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return self.read_bytes().decode(encoding, errors)

    def write_bytes(self, data: bytes, *, if_absent: bool = False, if_match: str | None = None) -> str:
        """All at once; see Bucket.put."""
        return self.bucket.put(self.key, data, if_absent=if_absent, if_match=if_match)

    def unlink(self, missing_ok: bool = True) -> None:
        """The store doesn't say whether it was there."""
        self.bucket.delete(self.key)

    def _prefix(self) -> str:
        return f"{self.key}/" if self.key else ""
