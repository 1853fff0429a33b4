"""DuckDB in this process: rows in an in-memory table, and older ones in Parquet files."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Final

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from wiki_web.data.engines.duckdb_files import select_from
from wiki_web.data.engines.engine import EngineError, Progress, stored_errors
from wiki_web.data.engines.past_process import PastProcess
from wiki_web.data.engines.stored import MOST_HELD, NONE_STORED, StoredHours, stored_hours
from wiki_web.data.queries import Statement
from wiki_web.data.rows import SCHEMA, Hour, boundary_of, microseconds, read_rows

# Beside Python's and Arrow's own memory, this leaves room in web's container. A query that needs more fails.
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "memory_limit": "1100MB",
    "temp_directory": "",
}
# If nearly each is of a title of its own, that takes 700 MB: a day of edits in all wikis has as many.
_MOST_COUNTED: Final = 1_600_000
# The table is rewritten once a tenth of its rows is too old, which keeps the cost per new row constant.
_MAX_OLD_SHARE = 0.1
_REBASE = """
CREATE OR REPLACE TABLE changes AS SELECT * FROM changes
WHERE event_us > {horizon_us} AND event_us >= {boundary_us} ORDER BY event_us"""
_LOOK = "SELECT 1 FROM changes LIMIT 0"
_COUNT = "SELECT COUNT(*) FROM changes WHERE event_us >= {from_us}"
# A reader's own, in front of the table.
_WITH_STORED = """
CREATE TEMP VIEW changes AS SELECT * FROM memory.main.changes WHERE event_us >= {boundary_us}
UNION ALL {stored}"""


@lru_cache(maxsize=256)
def to_duckdb(sql: str) -> str:
    """Spark's SQL in DuckDB's dialect, in the form that takes the least memory there."""
    return sqlglot.parse_one(sql, read="spark").transform(_frugal).sql("duckdb")


def _frugal(node: exp.Expression) -> exp.Expression:
    """The size of a set is counted without making it; rows that are selected are read again, not kept."""
    if isinstance(node, exp.ArraySize) and isinstance(node.this, exp.ArrayUniqueAgg):
        return exp.Count(this=exp.Distinct(expressions=[node.this.this]))
    if isinstance(node, exp.CTE) and node.alias == "selected":
        node.set("materialized", False)
    return node


class DuckDBEngine:
    """Loads, appends and rebases exclude each other; a query has its own transaction from `prepare` on."""

    def __init__(self, most_held: int = MOST_HELD) -> None:
        self._past = PastProcess()
        self.most_held, self.most_counted = most_held, _MOST_COUNTED
        self._turn = threading.RLock()
        self._connection = duckdb.connect(":memory:", config=_CONFIG)
        self._hold(SCHEMA.empty_table())
        self._rows_held = 0
        self._stored = NONE_STORED
        self._arranged_us = 0  # the end of the history at the last load or rebase

    @property
    def rows_held(self) -> int:
        return self._rows_held

    def rows_in_files(self, after_us: int) -> int:
        return self._stored.rows_after(after_us)

    def load(self, hours: Sequence[Hour], tail: pa.Table, horizon_us: int, progress: Progress) -> None:
        stored = stored_hours(hours, horizon_us, tail.num_rows, self.most_held)
        from_us = max(horizon_us, stored.boundary_us)
        try:
            with self._turn:
                with self._transaction():
                    self._hold(SCHEMA.empty_table())
                    for done, hour in enumerate(hours, start=1):
                        if microseconds(hour.end) > from_us:
                            self._insert(read_rows([hour.path], from_us=from_us))
                        progress(done)
                    self._insert(tail)
                self._arranged(hours, stored)
        except duckdb.Error as error:
            raise EngineError(f"duckdb: {error}") from error

    def append(self, rows: pa.Table) -> None:
        try:
            with self._turn:
                self._insert(rows)
                self._rows_held += rows.num_rows
        except duckdb.Error as error:
            raise EngineError(f"duckdb: {error}") from error

    def needs_rebase(self, hours: Sequence[Hour], horizon_us: int) -> bool:
        try:
            old = self._rows_held - self._held_from(horizon_us + 1)
        except duckdb.Error as error:
            raise EngineError(f"duckdb: {error}") from error
        too_many = self._rows_held > self.most_held and boundary_of(hours) > self._arranged_us
        return too_many or old > _MAX_OLD_SHARE * self._rows_held

    def rebase(self, hours: Sequence[Hour], horizon_us: int) -> None:
        try:
            with self._turn:
                tail_rows = self._held_from(boundary_of(hours))
                until_us = self._stored.boundary_us
                stored = stored_hours(hours, horizon_us, tail_rows, self.most_held, until_us)
                rebase = _REBASE.format(horizon_us=int(horizon_us), boundary_us=stored.boundary_us)
                self._connection.execute(rebase)
                self._arranged(hours, stored)
        except duckdb.Error as error:
            raise EngineError(f"duckdb: {error}") from error

    def prepare(self, statement: Statement) -> Callable[[], pa.Table]:
        try:
            with self._turn, stored_errors():
                reader = self._connection.cursor()
                reader.begin()
                # A transaction sees the table as it is at its first query.
                reader.execute(_LOOK).fetchall()
                self._show_stored(reader, statement.after_us)
        except duckdb.Error as error:
            raise EngineError(f"duckdb: {error}") from error

        def run() -> pa.Table:
            try:
                with closing(reader):
                    answer = reader.sql(to_duckdb(statement.sql), params=statement.parameters)
                    return answer.to_arrow_table()
            except duckdb.Error as error:
                raise EngineError(f"duckdb: {error}") from error

        return run

    def compute(self, statement: Statement, hours: Sequence[Hour], rows: pa.Table) -> pa.Table:
        return self._past.compute(replace(statement, sql=to_duckdb(statement.sql)), hours, rows)

    def check(self) -> None:
        """Nothing to check: it lives in this process."""

    def close(self) -> None:
        with self._turn:
            self._connection.close()
            self._past.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, also when a file can't be read in between."""
        self._connection.begin()
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()

    def _hold(self, rows: pa.Table) -> None:
        self._connection.register("arrived", rows)
        self._connection.execute("CREATE OR REPLACE TABLE changes AS SELECT * FROM arrived")
        self._connection.unregister("arrived")

    def _insert(self, rows: pa.Table) -> None:
        self._connection.register("arrived", rows)
        self._connection.execute("INSERT INTO changes SELECT * FROM arrived")
        self._connection.unregister("arrived")

    def _show_stored(self, reader: duckdb.DuckDBPyConnection, after_us: int) -> None:
        """Let `reader` see the rows in files, too, if what came after `after_us` reaches them."""
        reached = self._stored.reached(after_us)
        if reached:
            stored = select_from(reader, [hour.path for hour in reached])
            boundary_us = self._stored.boundary_us
            reader.execute(_WITH_STORED.format(boundary_us=boundary_us, stored=stored))

    def _arranged(self, hours: Sequence[Hour], stored: StoredHours) -> None:
        self._stored, self._arranged_us = stored, boundary_of(hours)
        self._rows_held = self._held_from(0)

    def _held_from(self, from_us: int) -> int:
        """How many of the rows held are of `from_us` or later."""
        with self._turn:
            ((rows,),) = self._connection.sql(_COUNT.format(from_us=int(from_us))).fetchall()
        return int(rows)
