"""Errors over HTTP: a document for programs, a page for people, and nothing of the inside in either."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from flask import Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from harness.processes import wait_until
from web.committed import Change, CommittedChanges, now
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.engines.engine import EngineError
from wiki_web.data.queries import Statement
from wiki_web.data.refresher import Refresher
from wiki_web.http.app import create_app
from wiki_web.settings import Settings

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class GatedEngine(DuckDBEngine):
    """Its queries wait while the gate is shut; `waiting` counts them.

    It finds `times` as many changes as there are when it is asked how many a window has.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = 0
        self.times = 0

    def rows_in_files(self, after_us: int) -> int:
        return self.times

    def prepare(self, statement: Statement) -> Callable[[], pa.Table]:
        run = super().prepare(statement)

        def gated() -> pa.Table:
            self.waiting += 1
            assert self.gate.wait(60)
            found = run()
            if found.column_names == ["matching"]:
                return pa.table({"matching": pc.multiply(found["matching"], self.times)})
            return found

        return gated


@pytest.fixture
def gated_engine() -> Iterator[GatedEngine]:
    engine = GatedEngine()
    yield engine
    engine.gate.set()
    engine.close()


@pytest.fixture
def app(settings: Settings, committed: CommittedChanges, gated_engine: GatedEngine) -> Iterator[Flask]:
    app = create_app(settings, gated_engine)
    committed.commit(Change(now()))
    refresher: Refresher = app.extensions["refresher"]
    assert refresher.refresh_once()
    yield app
    gated_engine.gate.set()
    app.extensions["reasons"].stop()


@pytest.mark.parametrize("headers", [{}, {"Accept": "*/*"}, {"Accept": "application/json"}])
def test_an_unknown_address_is_a_problem_document(client: FlaskClient, headers: dict[str, str]) -> None:
    response = client.get("/nowhere", headers=headers)
    assert response.status_code == 404
    assert response.mimetype == "application/problem+json"
    assert response.get_json(force=True)["title"] == "Not Found"
    assert "Accept" in response.vary


def test_an_unknown_address_is_a_page_for_a_browser(client: FlaskClient) -> None:
    response = client.get("/nowhere", headers=HTML)
    assert response.status_code == 404
    assert response.content_type == "text/html; charset=utf-8"
    assert "There is no such page" in response.text
    assert "Accept" in response.vary


def test_the_api_has_documents_also_for_a_browser(client: FlaskClient) -> None:
    response = client.get("/api/v1/nowhere", headers=HTML)
    assert (response.status_code, response.mimetype) == (404, "application/problem+json")
    assert "Accept" not in response.vary
    assert "/api/v1/openapi.json" in response.get_json()["detail"]


def test_too_many_different_queries_at_once_are_asked_to_come_again(
    app: Flask, client: FlaskClient, gated_engine: GatedEngine
) -> None:
    gated_engine.gate.clear()
    before = gated_engine.waiting
    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(app.test_client().get, f"/api/v1/top?limit={limit}") for limit in range(1, 9)]
        wait_until(lambda: gated_engine.waiting == before + 8, timeout=30, what="eight are computed")
        refused = client.get("/api/v1/top?limit=99")
        page = client.get("/?limit=98", headers=HTML)
        gated_engine.gate.set()
        assert {future.result(60).status_code for future in running} == {200}
    assert refused.status_code == page.status_code == 503
    assert refused.mimetype == "application/problem+json"
    assert refused.get_json(force=True)["detail"] == "8 other queries are being computed"
    assert refused.headers["Retry-After"] == page.headers["Retry-After"] == "2"
    assert '<meta http-equiv="refresh" content="5">' in page.text
    assert client.get("/api/v1/top?limit=99").status_code == 200


def test_a_window_with_too_many_changes_is_refused_with_their_number(
    client: FlaskClient, gated_engine: GatedEngine
) -> None:
    most = gated_engine.most_counted
    gated_engine.times = most + 1
    document, page = client.get("/api/v1/top?window=24h"), client.get("/?window=24h", headers=HTML)
    assert document.status_code == page.status_code == 422
    assert document.get_json(force=True)["parameter"] == "window"
    said = f"window: 24h has {most + 1:,} such changes, and {most:,} can be counted at once"
    assert document.get_json(force=True)["detail"].startswith(said)
    assert "Too many changes to be counted at once" in page.text
    assert said in page.text
    assert client.get("/api/v1/top?window=24h&wiki=dewiki").status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/top?limit=7", "/?limit=7"])
def test_what_an_engine_says_goes_to_the_log_and_not_to_the_client(
    client: FlaskClient, gated_engine: GatedEngine, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def fail(statement: Statement) -> None:
        raise EngineError(f"can't run {statement.sql}")

    monkeypatch.setattr(gated_engine, "prepare", fail)
    with capture_logs() as logged:
        document, page = client.get(path), client.get(path, headers=HTML)
    assert document.status_code == page.status_code == 503
    assert document.headers["Retry-After"] == "2"
    assert document.get_json(force=True)["detail"] == "the answer can't be computed at the moment"
    assert "SELECT" not in document.text + page.text
    assert ["SELECT" in line["reason"] for line in logged] == [True, True]
