"""How a file appears in `changes`: whole, or not at all.

On a disk it is brought there and renamed, in an object store one PUT of its name does it.
"""

from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from wiki_common.coverage import Coverage
from wiki_common.store.place import Place
from wiki_consumer.volume.drafts import draft_of
from wiki_consumer.volume.folders import ConsumerVolume


class Publish(Protocol):
    def __call__(self, name: str, rows: pa.Table, coverage: Coverage | None = None) -> None:
        """Let `rows` be the file `name` below `changes`.

        On a disk in the place of one that is there: no other consumer writes. In an object store Changed is
        raised if a file with another content is there. Its footer has the coverage, if there is one. Raises
        OSError, and has changed nothing then.
        """


class Publisher:
    """Writes beside `changes`, where no reader looks, until a file is whole."""

    def __init__(self, volume: ConsumerVolume[Place]) -> None:
        self._volume = volume

    def __call__(self, name: str, rows: pa.Table, coverage: Coverage | None = None) -> None:
        temporary = self._volume.writing / name.replace("/", ".").removesuffix(".parquet")
        draft = draft_of(self._volume.changes / name, temporary, replaces="")
        with (
            draft.writing() as file,
            pq.ParquetWriter(
                file, rows.schema, compression="zstd", store_schema=False, write_page_checksum=True
            ) as writer,
        ):
            writer.write_table(rows)
            if coverage is not None:
                writer.add_key_value_metadata(coverage.in_footer())
        draft.publish()

    def clear(self) -> None:
        """Remove what a crash left half-written. Nobody else may publish."""
        if isinstance(self._volume.writing, Path):
            for unfinished in self._volume.writing.glob("*"):
                unfinished.unlink()
