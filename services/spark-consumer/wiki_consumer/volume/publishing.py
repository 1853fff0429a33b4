"""How a file appears in `changes`: whole and on the disk, or not at all.

Everything above speaks of `publish` alone, which an object store's PUT of the same name could be as well.
"""

import os
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from wiki_common.coverage import Coverage
from wiki_consumer.volume.durable import make_folder, sync_folder
from wiki_consumer.volume.folders import ConsumerVolume


class Publish(Protocol):
    def __call__(self, name: str, rows: pa.Table, coverage: Coverage | None = None) -> None:
        """Let `rows` be the file `name` below `changes`, in the place of one that is there.

        Its footer has the coverage, if there is one. Raises OSError, and has changed nothing then.
        """


class LocalPublisher:
    """Writes beside `changes`, where no reader looks, and renames.

    A power cut loses what was not fsynced: so the rows are on the disk before the name is, and the name
    before this returns.
    """

    def __init__(self, volume: ConsumerVolume) -> None:
        self._volume = volume

    def __call__(self, name: str, rows: pa.Table, coverage: Coverage | None = None) -> None:
        target = self._volume.changes / name
        temporary = self._volume.writing / name.replace("/", ".").removesuffix(".parquet")
        self._volume.writing.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            with pq.ParquetWriter(
                file, rows.schema, compression="zstd", store_schema=False, write_page_checksum=True
            ) as writer:
                writer.write_table(rows)
                if coverage is not None:
                    writer.add_key_value_metadata(coverage.in_footer())
            file.flush()
            os.fsync(file.fileno())
        make_folder(target.parent)
        temporary.replace(target)
        sync_folder(target.parent)

    def clear(self) -> None:
        """Remove what a crash left half-written. Nobody else may publish."""
        for unfinished in self._volume.writing.glob("*"):
            unfinished.unlink()
