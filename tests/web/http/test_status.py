"""/healthz, /readyz and /metrics, and the health check that asks them."""

import math
import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from harness.processes import wait_until
from web.browser.served_app import HeldEngine
from web.committed import Change, CommittedChanges, changes_table, now
from wiki_common.health.server import health_text
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.engines.engine import EngineError
from wiki_web.data.refresher import Refresher
from wiki_web.http.app import create_app
from wiki_web.settings import Settings

Refresh = Callable[[], bool]


def metrics_of(client: FlaskClient) -> dict[str, float]:
    lines = [line for line in client.get("/metrics").text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


@pytest.fixture
def loaded(committed: CommittedChanges, refresh: Refresh) -> None:
    committed.commit(Change(now()), Change(now() - timedelta(minutes=3), "A"))
    assert refresh()


@pytest.mark.usefixtures("loaded")
def test_metrics_tell_what_was_asked_and_what_is_held(client: FlaskClient) -> None:
    client.get("/api/v1/top")
    client.get("/api/v1/top?limit=x")
    metrics = metrics_of(client)
    assert metrics['wiki_web_request_seconds_count{route="/api/v1/top",status="200"}'] == 1
    assert metrics['wiki_web_request_seconds_count{route="/api/v1/top",status="400"}'] == 1
    assert metrics["wiki_web_rows_held"] == 2
    assert metrics['wiki_web_engine_info{engine="duckdb"}'] == 1


def test_without_an_answer_metrics_give_no_age_and_no_time(
    client: FlaskClient, committed: CommittedChanges
) -> None:
    committed.commit(Change(now()))
    metrics = metrics_of(client)
    assert math.isnan(metrics["wiki_web_answer_age_seconds"])
    assert math.isnan(metrics["wiki_web_as_of_timestamp_seconds"])
    assert metrics["wiki_web_commits_behind"] == 1


@pytest.mark.usefixtures("loaded")
def test_metrics_are_of_the_answer_that_is_shown_not_of_what_the_engine_holds(
    client: FlaskClient,
    committed: CommittedChanges,
    refresh: Refresh,
    duckdb_engine: DuckDBEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = metrics_of(client)
    assert shown["wiki_web_answer_age_seconds"] > 0
    assert shown["wiki_web_commits_behind"] == 0
    committed.commit(Change(now() + timedelta(seconds=7)))

    def fail(*_: object) -> None:
        raise EngineError("asked to fail")

    with monkeypatch.context() as failing:
        failing.setattr(duckdb_engine, "prepare", fail)
        refresh()
    held = metrics_of(client)
    assert held["wiki_web_rows_held"] == 3
    assert held["wiki_web_commits_behind"] == 1
    assert held["wiki_web_as_of_timestamp_seconds"] == shown["wiki_web_as_of_timestamp_seconds"]
    refresh()
    metrics = metrics_of(client)
    assert metrics["wiki_web_commits_behind"] == 0
    assert metrics["wiki_web_as_of_timestamp_seconds"] > shown["wiki_web_as_of_timestamp_seconds"]


def test_a_refresh_that_took_something_in_is_timed(app: Flask, committed: CommittedChanges) -> None:
    committed.commit(Change(now()))
    client = app.test_client()
    refresher: Refresher = app.extensions["refresher"]
    assert metrics_of(client)["wiki_web_refresh_seconds_count"] == 0
    refresher.start()
    try:
        wait_until(
            lambda: metrics_of(client)["wiki_web_refresh_seconds_count"] == 1, timeout=30, what="it is timed"
        )
        assert metrics_of(client)["wiki_web_refresh_seconds_sum"] > 0
        assert client.get("/healthz").text == health_text([])
    finally:
        refresher.stop()


def test_a_service_that_shows_no_fresh_data_is_not_ready_and_says_why(
    client: FlaskClient, committed: CommittedChanges, refresh: Refresh
) -> None:
    def told() -> tuple[int, str]:
        response = client.get("/readyz")
        return response.status_code, response.text

    refresh()
    assert told() == (503, "no commit yet\n")
    committed.commit()
    refresh()
    assert told() == (503, "no change committed yet\n")
    committed.commit_table(changes_table([Change(now())]), at=time.time() - 60)
    refresh()
    assert told()[0] == 503
    assert re.fullmatch(r"stale: counted up to \d\d:\d\d:\d\d UTC, and no further for 6\d s\n", told()[1])
    committed.commit(Change(now()))
    refresh()
    assert told() == (200, "ready\n")
    torn = committed.tear(Change(now()))
    refresh()
    assert told()[0] == 503
    assert re.match(f"refresh fails: RowsError: .*{torn.name}", told()[1])


def test_a_service_that_holds_rows_is_not_ready_before_the_first_answer(
    app: Flask, client: FlaskClient, committed: CommittedChanges, duckdb_engine: DuckDBEngine
) -> None:
    committed.commit(Change(now()))
    refresher: Refresher = app.extensions["refresher"]
    told: list[str] = []
    prepare = duckdb_engine.prepare

    def ask_first(*arguments: Any) -> Any:
        told.append(client.get("/readyz").text)
        return prepare(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duckdb_engine, "prepare", ask_first)
        refresher.refresh_once()
    assert told[-1] == "the first answer is being computed\n"
    assert client.get("/readyz").text == "ready\n"


def test_a_service_that_loads_is_not_ready_and_says_how_far_it_is(
    settings: Settings, committed: CommittedChanges
) -> None:
    committed.commit(Change(now()))
    committed.close_hour(now().replace(minute=0, second=0) - timedelta(hours=3), [])
    engine = HeldEngine()
    app = create_app(settings, engine)
    refresher: Refresher = app.extensions["refresher"]
    client = app.test_client()
    refresher.start()
    try:
        wait_until(
            lambda: client.get("/readyz").text == "loading: 1 of 2 files\n", timeout=30, what="it loads"
        )
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200
        engine.go.set()
        wait_until(lambda: client.get("/readyz").status_code == 200, timeout=30, what="it is ready")
    finally:
        engine.go.set()
        refresher.stop()
        engine.close()
