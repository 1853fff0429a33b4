"""DuckDB over rows that are read for one statement alone: by one core, and not kept."""

from collections.abc import Sequence
from contextlib import closing
from typing import Final

import duckdb
import pyarrow as pa

from wiki_common.store.place import Place
from wiki_web.data.engines.engine import EngineError
from wiki_web.data.engines.stored import with_stored
from wiki_web.data.queries import Statement
from wiki_web.data.rows import RowsError

MOST_READ: Final = 512 * 2**20  # bytes, in Arrow's memory
_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "threads": 1,
    "memory_limit": "512MB",
    "autoinstall_known_extensions": "false",
}


class DuckDBPast:
    """A database of its own. One thread at a time computes."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(":memory:", config=_CONFIG)

    def compute(self, statement: Statement, files: Sequence[Place], rows: pa.Table) -> pa.Table:
        """As Engine.compute, of the files of hours; the statement is in DuckDB's dialect."""
        try:
            changes = with_stored(rows, statement, files, most_bytes=MOST_READ)
            with closing(self._connection.cursor()) as reader:
                reader.register("changes", changes)
                return reader.sql(statement.sql, params=statement.parameters).to_arrow_table()
        except (duckdb.Error, RowsError, OSError) as error:
            raise EngineError(f"duckdb: {error}") from error

    def close(self) -> None:
        self._connection.close()
