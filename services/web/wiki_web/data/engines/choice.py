"""Which engine WEB_ENGINE names."""

from wiki_web.data.engines.engine import Engine
from wiki_web.settings import Settings


def open_engine(settings: Settings) -> Engine:
    """The engine that WEB_ENGINE names. Only that one is imported: DuckDB's host needs no Java."""
    if settings.web_engine == "duckdb":
        from wiki_web.data.engines.duckdb_engine import DuckDBEngine

        return DuckDBEngine()
    from wiki_web.data.engines.spark_engine import SparkEngine

    return SparkEngine(settings.spark_master, settings.log_format, settings.cluster_config())
