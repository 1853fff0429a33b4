"""Fixtures for the web service: both engines, a store over committed changes, a client."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pyspark.sql import SparkSession

from web.committed import CommittedChanges
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.engines.engine import Engine
from wiki_web.data.engines.spark_engine import SparkEngine
from wiki_web.data.refresher import Refresher
from wiki_web.data.store import Store
from wiki_web.http.app import create_app
from wiki_web.settings import Settings

MAX_WINDOW = timedelta(hours=24)


@pytest.fixture(scope="session")
def spark_engine() -> SparkEngine:
    """One for the whole run, since a session takes seconds; a store's first load empties it."""
    return SparkEngine("local[2]")


@pytest.fixture
def spark(spark_engine: SparkEngine) -> SparkSession:
    session = SparkSession.getActiveSession()
    assert session is not None
    return session


@pytest.fixture(params=["duckdb", pytest.param("spark", marks=pytest.mark.slow)])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """With Spark a test takes seconds. Those that are `on_both_engines` have it in the default run too."""
    if request.param == "spark":
        yield request.getfixturevalue("spark_engine")
        return
    engine = DuckDBEngine()
    yield engine
    engine.close()


@pytest.fixture
def duckdb_engine() -> Iterator[DuckDBEngine]:
    engine = DuckDBEngine()
    yield engine
    engine.close()


@pytest.fixture
def committed(tmp_path: Path) -> CommittedChanges:
    return CommittedChanges(tmp_path / "data")


@pytest.fixture
def store(committed: CommittedChanges, engine: Engine) -> Store:
    return Store(committed.data_dir, engine, MAX_WINDOW)


@pytest.fixture
def settings(committed: CommittedChanges) -> Settings:
    return Settings(data_dir=committed.data_dir, web_engine="duckdb", bind_address="127.0.0.1")


@pytest.fixture
def app(settings: Settings, duckdb_engine: DuckDBEngine) -> Iterator[Flask]:
    """On DuckDB; its refresher is not started: a test calls `refresh`."""
    app = create_app(settings, duckdb_engine)
    yield app
    app.extensions["reasons"].stop()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def refresh(app: Flask) -> Callable[[], bool]:
    """Take in what was committed, as the refresher's thread does."""
    refresher: Refresher = app.extensions["refresher"]
    return refresher.refresh_once
