from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from web.committed import Change, CommittedChanges, now
from wiki_common.summary import SUMMARY_SECONDS


def test_requests_and_refreshes_are_summed_up(
    app: Flask,
    client: FlaskClient,
    committed: CommittedChanges,
    refresh: Callable[[], bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    number = committed.commit(Change(now()))
    refresh()
    for path in ("/healthz", "/api/v1/top", "/nowhere"):
        client.get(path)
    watched = app.extensions["refresher"].watched
    summary = watched.__self__
    with capture_logs() as lines:
        watched()
        monkeypatch.setattr(summary, "_said_at", summary._said_at - SUMMARY_SECONDS)
        watched()
    [line] = lines
    told = {name: line[name] for name in ("event", "requests", "rows", "state", "batch")}
    assert told == {"event": "page served", "requests": 3, "rows": 1, "state": "live", "batch": number}
