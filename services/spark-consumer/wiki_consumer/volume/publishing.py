"""How a file appears in `changes`: whole and on the disk, or not at all.

Everything above speaks of `publish` alone, which an object store's PUT of the same name could be as well.
"""

from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from wiki_common.coverage import Coverage
from wiki_consumer.volume.drafts import LocalDraft
from wiki_consumer.volume.folders import ConsumerVolume


class Publish(Protocol):
    def __call__(self, name: str, rows: pa.Table, coverage: Coverage | None = None) -> None:
        """Let `rows` be the file `name` below `changes`, in the place of one that is there.

        Its footer has the coverage, if there is one. Raises OSError, and has changed nothing then.
        """


class LocalPublisher:
    """Writes beside `changes`, where no reader looks, and renames."""

    def __init__(self, volume: ConsumerVolume) -> None:
        self._volume = volume

    def __call__(self, name: str, rows: pa.Table, coverage: Coverage | None = None) -> None:
        temporary = self._volume.writing / name.replace("/", ".").removesuffix(".parquet")
        draft = LocalDraft(self._volume.changes / name, temporary)
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
        for unfinished in self._volume.writing.glob("*"):
            unfinished.unlink()
