"""What a batch needs to run again is on the disk before its rows appear.

Spark moves the files of its checkpoint into place and leaves it to the system when they get to the disk. So a
power cut could leave the rows of a batch and nothing, or half, of its plan: it would be planned anew with
other records, whose rows would be taken for written. Hence everything that is there is fsynced before a batch
is published: its plan, the commit of the batch before, and the state that it started from.

In an object store a file is kept once its PUT is answered, so there is nothing to do.
"""

import os
from pathlib import Path

from wiki_common.store.place import Place
from wiki_consumer.volume.durable import sync_file, sync_folder

# Of what is not in its place yet; the second is its checksum.
_UNFINISHED = (".tmp", ".tmp.crc")


class DurableCheckpoint:
    """Brings the files of a checkpoint to the disk, each once: they don't change under their names.

    A batch that is run again writes files over those that an interrupted run left, all of which are older
    than this object: a process or a query that starts has its own.
    """

    def __init__(self, checkpoint: Place) -> None:
        self._checkpoint = checkpoint
        self._synced: dict[str, set[str]] = {}

    def sync(self) -> None:
        """All that is there now. Raises OSError."""
        if not isinstance(self._checkpoint, Path):
            return
        found: dict[str, set[str]] = {}
        for folder, folders, files in os.walk(self._checkpoint):
            found[folder] = {*folders, *(name for name in files if not name.endswith(_UNFINISHED))}
            new = found[folder] - self._synced.get(folder, set())
            for name in new.intersection(files):
                sync_file(Path(folder, name))
            if new:
                sync_folder(Path(folder))
        self._synced = found
