"""DuckDB over rows that are read for one statement alone: by one core, and not kept."""

from collections.abc import Sequence
from contextlib import closing
from typing import Final, cast

import duckdb
import pyarrow as pa

from wiki_common.store.place import Place
from wiki_web.data.engines.engine import EngineError
from wiki_web.data.queries import Statement
from wiki_web.data.rows import RowsError, one_of, read_matching, within

MOST_READ: Final = 512 * 2**20  # bytes, in Arrow's memory
_CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "threads": 1,
    "memory_limit": "512MB",
    "autoinstall_known_extensions": "false",
}
# Parameters of a statement, and the column that each is compared with as it is stored.
_CHOSEN_BY: Final = {"types": "type", "namespaces": "namespace", "wikis": "wiki"}


class DuckDBPast:
    """A database of its own. One thread at a time computes."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(":memory:", config=_CONFIG)

    def compute(self, statement: Statement, files: Sequence[Place], rows: pa.Table) -> pa.Table:
        """As Engine.compute, of the files of hours; the statement is in DuckDB's dialect."""
        tables = [rows]
        try:
            for file in files:
                tables.append(_read(file, statement, rows.column_names))
                if sum(table.nbytes for table in tables) > MOST_READ:
                    raise EngineError(f"duckdb: more than {MOST_READ} bytes of stored rows at once")
            with closing(self._connection.cursor()) as reader:
                reader.register("changes", pa.concat_tables(tables))
                return reader.sql(statement.sql, params=statement.parameters).to_arrow_table()
        except (duckdb.Error, RowsError, OSError) as error:
            raise EngineError(f"duckdb: {error}") from error

    def close(self) -> None:
        self._connection.close()


def _read(file: Place, statement: Statement, names: Sequence[str]) -> pa.Table:
    """Those rows of an hour that the statement may choose, read by this thread alone."""
    matching = within(statement.after_us, cast(int, statement.parameters["to_us"]))
    for parameter, name in _CHOSEN_BY.items():
        if isinstance(values := statement.parameters.get(parameter), list):
            matching &= one_of(name, values)
    return read_matching([file], matching, names, threads=False)
