"""A file on its way to its place: nobody sees it before it is published, and then all of it at once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from wiki_consumer.volume.durable import make_folder, sync_folder


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
        """The empty file; its content is on the disk at the end. Raises OSError."""
        make_folder(self._temporary.parent)
        with self._temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())

    def content(self) -> Path:
        """What was written, to be read."""
        return self._temporary

    def publish(self) -> None:
        """Raises OSError, and has changed nothing then."""
        make_folder(self._target.parent)
        self._temporary.replace(self._target)
        sync_folder(self._target.parent)


def write_text(file: Path, text: str) -> None:
    """Let `text` be what the file holds: all of it, or what was there before."""
    draft = LocalDraft(file, file.with_suffix(".tmp"))
    with draft.writing() as writing:
        writing.write(text.encode())
    draft.publish()
