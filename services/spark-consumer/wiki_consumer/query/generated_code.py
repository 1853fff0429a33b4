"""Whether Spark generates code for a batch and compiles it, or interprets its plan.

The batch's clock and the watermark stand in the generated code, so that each batch would compile it anew: at
the live rate that is most of its cost. A batch of a backlog is so long that compiled code pays.
"""

from typing import Final

from pyspark.sql import SparkSession

INTERPRETED: Final = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
"""What a query begins with."""
_COMPILED: Final = {
    "spark.sql.codegen.wholeStage": "true",
    "spark.sql.codegen.factoryMode": "FALLBACK",
}
BACKLOG_ROWS: Final = 10_000
"""A batch of so many rows is one of a backlog."""


class GeneratedCode:
    """Chooses for the next batch by what the last one had."""

    def __init__(self, backlog_rows: int = BACKLOG_ROWS) -> None:
        self._backlog_rows = backlog_rows
        self._chosen = INTERPRETED

    def choose(self, query: SparkSession, rows: int) -> None:
        """After a batch of so many rows; `query` is the session that the batches of the query have."""
        chosen = _COMPILED if rows >= self._backlog_rows else INTERPRETED
        if chosen is not self._chosen:
            self._chosen = chosen
            for name, value in chosen.items():
                query.conf.set(name, value)
