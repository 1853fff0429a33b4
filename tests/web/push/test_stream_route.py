"""GET /api/v1/stream of the running service."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import psutil
import pytest

from harness.processes import wait_until
from web.browser.running_web import RunningWeb
from web.committed import Change, CommittedChanges, changes_table, now

PATH = "/api/v1/stream"


@pytest.fixture(scope="module")
def grown_web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningWeb, CommittedChanges]]:
    folder = tmp_path_factory.mktemp("web")
    committed = CommittedChanges(folder / "data")
    with RunningWeb(folder) as web:
        yield web, committed


@pytest.fixture
def web(grown_web: tuple[RunningWeb, CommittedChanges]) -> RunningWeb:
    return grown_web[0]


@pytest.fixture
def committed(grown_web: tuple[RunningWeb, CommittedChanges]) -> CommittedChanges:
    return grown_web[1]


class Viewer:
    """A request on a connection of its own, and what comes of it."""

    def __init__(self, web: RunningWeb, *headers: str, request: str = f"GET {PATH}") -> None:
        port = int(web.url.rpartition(":")[2])
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._lines = self.sock.makefile("r", encoding="utf-8", newline="\n")
        lines = [f"{request} HTTP/1.1", "Host: web", *headers, "", ""]
        self.sock.sendall("\r\n".join(lines).encode())
        self.status = int(self._lines.readline().split()[1])
        self.headers = dict(line.rstrip().split(": ", 1) for line in iter(self._lines.readline, "\r\n"))

    def next_event(self) -> dict[str, Any]:
        """The data of the next event, comments left out, and its id."""
        found: dict[str, str] = {}
        while line := self._lines.readline().rstrip("\n"):
            name, _, value = line.partition(": ")
            found[name] = value
        if "data" not in found:
            return self.next_event()
        data: dict[str, Any] = json.loads(found["data"])
        return {**data, "id": found["id"]}

    def rest(self) -> str:
        return self._lines.read()

    def __enter__(self) -> "Viewer":
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self.sock.close()


def etag(web: RunningWeb) -> str:
    with Viewer(web, "Connection: close", request="GET /api/v1/top") as asked:
        return asked.headers["ETag"].strip('"')


def test_turning_stale_and_live_again_is_told(web: RunningWeb, committed: CommittedChanges) -> None:
    """The first without a commit."""
    with Viewer(web) as viewer:
        assert viewer.next_event()["state"] == "starting"
        committed.commit_table(
            changes_table([Change(now() - timedelta(seconds=22), "A")]), at=time.time() - 22
        )
        live = viewer.next_event()
        assert live["state"] == "live"
        stale = viewer.next_event()
        assert stale["state"] == "stale"
        assert stale["as_of"] == live["as_of"]
        committed.commit(Change(now(), "B"))
        assert viewer.next_event()["state"] == "live"


def test_an_answer_is_told_with_its_etag_and_can_be_fetched_then(
    web: RunningWeb, committed: CommittedChanges
) -> None:
    with Viewer(web) as viewer:
        assert viewer.status == 200
        assert viewer.headers["Content-Type"].startswith("text/event-stream")
        assert viewer.headers["Cache-Control"] == "no-store"
        assert viewer.headers["X-Accel-Buffering"] == "no"
        assert {"X-Wiki-Live-Top", "Date", "X-Content-Type-Options"} <= set(viewer.headers)
        viewer.next_event()
        for title in ("C", "D"):
            committed.commit(Change(now(), title))
            event = viewer.next_event()
            assert event["id"] == event["etag"] == etag(web)
            assert f'"{title}"' in (web.get("/api/v1/changes?limit=1") or b"").decode()


def test_who_comes_back_is_told_only_what_is_new(web: RunningWeb, committed: CommittedChanges) -> None:
    committed.commit(Change(now(), "E"))
    with Viewer(web) as viewer:
        last = viewer.next_event()["id"]
        while last != etag(web):
            last = viewer.next_event()["id"]
    with Viewer(web, f"Last-Event-ID: {last}") as again, Viewer(web, "Last-Event-ID: of-long-ago") as other:
        assert other.next_event()["id"] == last
        committed.commit(Change(now(), "F"))
        assert again.next_event()["id"] != last


def test_other_requests_behave(web: RunningWeb) -> None:
    with Viewer(web, request=f"HEAD {PATH}") as head:
        assert (head.status, head.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
        assert "Content-Length" not in head.headers
    with Viewer(web, request=f"POST {PATH}") as post:
        assert post.status == 405
        assert set(post.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    with Viewer(web, "Connection: close", request=f"GET {PATH}?window=5m") as wrong:
        assert wrong.status == 400
        assert json.loads(wrong.rest())["parameter"] == "window"
    with Viewer(web, "Content-Length: 3") as with_a_body:
        assert with_a_body.status == 413


def test_streams_take_no_thread_and_little_memory(web: RunningWeb, committed: CommittedChanges) -> None:
    """Far more than the server has threads. Requests are answered beside them."""
    (worker,) = psutil.Process(web.pid).children()
    web.get("/")
    before, threads, files = worker.memory_info().rss, worker.num_threads(), worker.num_fds()
    with ExitStack() as stack:
        viewers = [stack.enter_context(Viewer(web)) for _ in range(300)]
        for viewer in viewers:
            viewer.next_event()
        began = time.monotonic()
        assert web.get("/readyz") is not None
        assert web.get("/") is not None
        assert time.monotonic() - began < 2
        committed.commit(Change(now(), "To all"))
        assert len({viewer.next_event()["id"] for viewer in viewers}) <= 2
        assert worker.num_threads() <= threads + 16
        assert worker.memory_info().rss - before < 30_000_000
        assert b"wiki_web_streams 300.0" in (web.get("/metrics") or b"")
    wait_until(lambda: worker.num_fds() <= files + 5, timeout=10, what="their files are closed")


def test_sigterm_ends_streams_and_the_service(web: RunningWeb) -> None:
    """Last in this file: it ends the service that the others share."""
    with Viewer(web) as viewer, Viewer(web) as silent:
        viewer.next_event()
        began = time.monotonic()
        assert web.terminate() == 0
        assert time.monotonic() - began < 8
        viewer.rest()
        silent.rest()
