"""A file on its way to its place: nobody sees it before it is published, and then all of it at once."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol

from wiki_common.store.bucket import Changed
from wiki_common.store.objects import ObjectPath
from wiki_common.store.place import Place
from wiki_consumer.volume.durable import make_folder, sync_folder


class Draft(Protocol):
    """Written, perhaps read back, and then published. All raise OSError."""

    def writing(self) -> AbstractContextManager[BinaryIO]:
        """The empty file."""

    def content(self) -> Path | BinaryIO:
        """What was written, to be read."""

    def size(self) -> int:
        """Of it, in bytes."""

    def publish(self) -> None:
        """Has changed nothing if it raises."""


class LocalDraft:
    """Written as `temporary`, where no reader looks, and renamed to `target`, in the place of what is there.

    A power cut loses what was not fsynced: so the content is on the disk before the name is, and the name
    before `publish` returns.
    """

    def __init__(self, target: Path, temporary: Path) -> None:
        self._target = target
        self._temporary = temporary

    @contextmanager
    def writing(self) -> Iterator[BinaryIO]:
        make_folder(self._temporary.parent)
        with self._temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())

    def content(self) -> Path:
        return self._temporary

    def size(self) -> int:
        return self._temporary.stat().st_size

    def publish(self) -> None:
        make_folder(self._target.parent)
        self._temporary.replace(self._target)
        sync_folder(self._target.parent)


class ObjectDraft:
    """Kept in memory, and put under its name by one request.

    `replaces` is the etag of what it is a new version of, "" if nothing is there yet: anything else that is
    there is left as it is, and Changed is raised. None if it doesn't matter.
    """

    def __init__(self, target: ObjectPath, replaces: str | None) -> None:
        self._target = target
        self._replaces = replaces
        self._written = b""

    @contextmanager
    def writing(self) -> Iterator[BinaryIO]:
        file = BytesIO()
        yield file
        self._written = file.getvalue()

    def content(self) -> BinaryIO:
        return BytesIO(self._written)

    def size(self) -> int:
        return len(self._written)

    def publish(self) -> None:
        try:
            self._target.write_bytes(
                self._written, if_absent=self._replaces == "", if_match=self._replaces or None
            )
        except Changed:
            # A request that was carried out though it seemed to fail is refused when it is made again.
            if self._target.read_bytes() != self._written:
                raise


def draft_of(target: Place, temporary: Place, *, replaces: str | None = None) -> Draft:
    """For `target`; on a disk it is written as `temporary`. `replaces` is ObjectDraft's."""
    if isinstance(target, ObjectPath):
        return ObjectDraft(target, replaces)
    return LocalDraft(target, Path(str(temporary)))


def write_text(file: Place, text: str) -> None:
    """Let `text` be what the file holds: all of it, or what was there before.

    In an object store it is written once: raises Changed if another text is there.
    """
    draft = draft_of(file, file.parent / f"{file.name}.tmp", replaces="")
    with draft.writing() as writing:
        writing.write(text.encode())
    draft.publish()
