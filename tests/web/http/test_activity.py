from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from web.committed import Change, CommittedChanges, now
from wiki_common import summary


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
    with capture_logs() as lines:
        watched()
        monkeypatch.setattr(summary, "SUMMARY_SECONDS", 0)
        watched()
    [line] = lines
    told = {name: line[name] for name in ("event", "requests", "rows", "state", "batch")}
    assert told == {"event": "page served", "requests": 3, "rows": 1, "state": "live", "batch": number}
