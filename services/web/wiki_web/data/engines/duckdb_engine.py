"""DuckDB in this process: rows in an in-memory table."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache

import duckdb
import pyarrow as pa
import sqlglot

from wiki_web.data.engines.duckdb_past import DuckDBPast
from wiki_web.data.engines.engine import EngineError, Progress
from wiki_web.data.queries import Statement
from wiki_web.data.rows import SCHEMA, Hour, microseconds, read_rows

# The table is rewritten once a tenth of its rows is too old, which keeps the cost per new row constant.
_MAX_OLD_SHARE = 0.1
_REBASE = """
CREATE OR REPLACE TABLE changes AS SELECT * FROM changes WHERE event_us > {horizon_us} ORDER BY event_us"""
_LOOK = "SELECT 1 FROM changes LIMIT 0"
_OLD = "SELECT COUNT(*) AS old FROM changes WHERE event_us <= :horizon"


@lru_cache(maxsize=256)
def to_duckdb(sql: str) -> str:
    """Spark's SQL in DuckDB's dialect."""
    (translated,) = sqlglot.transpile(sql, read="spark", write="duckdb")
    return translated


class DuckDBEngine:
    """Loads, appends and rebases exclude each other; a query has its own transaction from `prepare` on."""

    def __init__(self) -> None:
        self._past = DuckDBPast()
        self._turn = threading.RLock()
        self._connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
        self._hold(SCHEMA.empty_table())
        self._rows_held = 0

    @property
    def rows_held(self) -> int:
        return self._rows_held

    def load(self, hours: Sequence[Hour], tail: pa.Table, horizon_us: int, progress: Progress) -> None:
        try:
            with self._turn, self._transaction():
                self._hold(SCHEMA.empty_table())
                for done, hour in enumerate(hours, start=1):
                    if microseconds(hour.end) > horizon_us:
                        self._insert(read_rows([hour.path], from_us=horizon_us))
                    progress(done)
                self._insert(tail)
                self._count()
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
        old: int = self.prepare(Statement(_OLD, {"horizon": horizon_us}))()["old"][0].as_py()
        return old > _MAX_OLD_SHARE * self._rows_held

    def rebase(self, hours: Sequence[Hour], horizon_us: int) -> None:
        try:
            with self._turn:
                self._connection.execute(_REBASE.format(horizon_us=int(horizon_us)))
                self._count()
        except duckdb.Error as error:
            raise EngineError(f"duckdb: {error}") from error

    def prepare(self, statement: Statement) -> Callable[[], pa.Table]:
        try:
            with self._turn:
                reader = self._connection.cursor()
            reader.begin()
            # A transaction sees the table as it is at its first query.
            reader.execute(_LOOK).fetchall()
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
        return self._past.compute(to_duckdb(statement.sql), statement, hours, rows)

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

    def _count(self) -> None:
        ((self._rows_held,),) = self._connection.sql("SELECT COUNT(*) FROM changes").fetchall()
