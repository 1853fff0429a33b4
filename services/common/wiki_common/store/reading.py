"""An object read as a file that can be sought in, by few requests."""

import io
from typing import Final

from wiki_common.store.bucket import Bucket

TAIL: Final = 256 * 1024
"""Bytes: a batch's file, or the footer of an hour's."""


class ObjectReader(io.RawIOBase):
    """The object as it was at the first request, which gets its last TAIL bytes: small ones whole.

    Raises OSError: FileNotFoundError where it isn't there, Changed once another one is in its place.
    """

    def __init__(self, bucket: Bucket, key: str) -> None:
        super().__init__()
        self._bucket = bucket
        self._key = key
        self._tail = bucket.get(key, length=TAIL)
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._tail.stat.st_size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def read(self, size: int = -1) -> bytes:
        """All that was asked for, unless it ends before."""
        end = self._tail.stat.st_size if size < 0 else min(self._position + size, self._tail.stat.st_size)
        start, self._position = self._position, max(self._position, end)
        if start >= end:
            return b""
        if start >= self._tail.start:
            return self._tail.data[start - self._tail.start : end - self._tail.start]
        etag = self._tail.stat.etag
        return self._bucket.get(self._key, start=start, length=end - start, if_match=etag).data

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
