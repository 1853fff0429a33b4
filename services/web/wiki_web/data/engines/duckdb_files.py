"""Closed hours' files in DuckDB's SQL, with the columns and values that rows.read_rows gives."""

from collections.abc import Sequence
from glob import escape
from typing import Final

import duckdb

from wiki_common.store.objects import ObjectPath
from wiki_common.store.place import Place
from wiki_web.data.rows import EVENT_US, STORED, dataset_of
from wiki_web.data.titles import CONTROLS, DIRECTION_MARKS

_OBJECTS: Final = "stored_objects"
# As codes: a control can't stand in the text of a statement.
_DROPPED: Final = "".join(f"\\x{{{ord(each):x}}}" for each in (*DIRECTION_MARKS, *CONTROLS))


def select_from(reader: duckdb.DuckDBPyConnection, files: Sequence[Place]) -> str:
    """A statement by which `reader` selects all rows of `files`, of which there is one at least.

    Objects are read by Arrow: DuckDB would need an extension for it. Raises OSError then.
    """
    columns = ", ".join(f"{_read(name, stored)} AS {name}" for name, stored in STORED.items())
    if isinstance(files[0], ObjectPath):
        reader.register(_OBJECTS, dataset_of(files))
        return f"SELECT {columns} FROM {_OBJECTS}"  # noqa: S608
    names = ", ".join("'" + escape(str(path)).replace("'", "''") + "'" for path in files)
    return f"SELECT {columns} FROM read_parquet([{names}], hive_partitioning = false)"  # noqa: S608


def _read(name: str, stored: str) -> str:
    column = f'"{stored}"'
    if name == EVENT_US:
        return f"epoch_us({column})"
    if name == "event_id":
        return f"coalesce({column}, '')"
    if name == "title":
        spaced = f"replace(coalesce({column}, ''), '_', ' ')"
        return f"trim(regexp_replace({spaced}, '[{_DROPPED}]', '', 'g'), ' ')"
    return column
