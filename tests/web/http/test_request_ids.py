import pytest
from flask import Flask
from flask.testing import FlaskClient
from structlog.contextvars import get_contextvars, merge_contextvars
from structlog.testing import capture_logs

from web.committed import Change, CommittedChanges, now
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.engines.engine import EngineError


def test_a_request_has_an_id_of_its_own(client: FlaskClient) -> None:
    ids = [client.get(path).headers["X-Request-Id"] for path in ("/healthz", "/healthz", "/nowhere")]
    assert len(set(ids)) == 3
    assert {len(each) for each in ids} == {16}


def test_the_id_of_a_proxy_is_kept_and_rubbish_is_not(client: FlaskClient) -> None:
    def asked(given: str) -> str:
        return client.get("/healthz", headers={"X-Request-Id": given}).headers["X-Request-Id"]

    assert asked("a1b2-c3") == "a1b2-c3"
    for rubbish in ("", "a b", "x" * 65, 'a"event":"'):
        assert len(asked(rubbish)) == 16


def test_a_line_that_is_logged_for_a_request_names_it(
    app: Flask, committed: CommittedChanges, duckdb_engine: DuckDBEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed.commit(Change(now()))
    app.extensions["refresher"].refresh_once()

    def fails(*_: object) -> None:
        raise EngineError("out of room")

    monkeypatch.setattr(duckdb_engine, "prepare", fails)
    client = app.test_client()
    with capture_logs(processors=[merge_contextvars]) as lines:
        answer = client.get("/api/v1/top?limit=3", headers={"X-Request-Id": "of-a-proxy"})
    assert answer.status_code == 503
    [line] = [line for line in lines if line["event"] == "no answer"]
    assert (line["request_id"], line["path"]) == ("of-a-proxy", "/api/v1/top")


def test_nothing_that_is_logged_after_a_request_names_it(client: FlaskClient) -> None:
    client.get("/healthz")
    assert get_contextvars() == {}
