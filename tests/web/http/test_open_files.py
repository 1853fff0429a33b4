"""More viewers than the limit of open files allows: some wait, and the service goes on."""

import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from harness.processes import Process, accepts, free_port, wait_until
from web.committed import Change, CommittedChanges, now
from wiki_web.http.open_files import connections, streams

REQUEST = b"GET /readyz HTTP/1.1\r\nHost: web\r\n\r\n"
STREAM = b"GET /api/v1/stream HTTP/1.1\r\nHost: web\r\n\r\n"


def started(committed: CommittedChanges, folder: Path, limit: str) -> tuple[Process, int]:
    """The service, ready, under a limit as `ulimit` takes it."""
    committed.commit(Change(now(), "A"))
    port = free_port()
    web = Process(
        ["sh", "-c", f"ulimit {limit} && exec {sys.executable} -m wiki_web"],
        log=folder / "web.log",
        env={
            "DATA_DIR": str(committed.data_dir),
            "WEB_ENGINE": "duckdb",
            "WEB_PORT": str(port),
            "BIND_ADDRESS": "127.0.0.1",
        },
    )
    wait_until(lambda: accepts(port), timeout=60, what="web listens")
    wait_until(lambda: b" 200 " in asked(port), timeout=60, what="web is ready")
    return web, port


def asked(port: int) -> bytes:
    with viewer(port) as connection:
        return connection.recv(4096)


def takes_no_more(worker: psutil.Process) -> bool:
    """Whether it is gone, or has as many files open as half a second ago."""
    try:
        before = worker.num_fds()
        time.sleep(0.5)
        return worker.num_fds() == before
    except psutil.NoSuchProcess:
        return True


def viewer(port: int, request: bytes = REQUEST) -> socket.socket:
    """Has asked, and keeps its connection."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.sendall(request)
    return connection


@pytest.mark.parametrize(("limit", "viewers"), [("-Sn 256", 300), ("-n 256", 300)])
def test_every_viewer_is_answered_and_the_worker_lives(
    committed: CommittedChanges, tmp_path: Path, limit: str, viewers: int
) -> None:
    """Where the soft limit may be raised, all at once; else as soon as others have left."""
    web, port = started(committed, tmp_path, limit)
    try:
        (worker,) = psutil.Process(web.pid).children()
        with ExitStack() as stack:
            watching = [stack.enter_context(viewer(port)) for _ in range(viewers)]
            wait_until(lambda: takes_no_more(worker), timeout=30, what="it takes no more connections")
            first = watching[:100] if limit == "-n 256" else watching
            assert all(b" 200 " in connection.recv(4096) for connection in first)
            for connection in first:
                connection.close()
            assert all(b" 200 " in connection.recv(4096) for connection in watching[len(first) :])
        assert worker.is_running()
        assert asked(port).startswith(b"HTTP/1.1 200 ")
        assert psutil.Process(web.pid).children() == [worker]
        assert "Traceback" not in web.output()
    finally:
        web.kill()


def test_streams_beyond_their_room_are_refused_and_pages_are_answered_beside_them(
    committed: CommittedChanges, tmp_path: Path
) -> None:
    web, port = started(committed, tmp_path, "-n 256")
    try:
        with ExitStack() as stack:
            watching = [stack.enter_context(viewer(port, STREAM)) for _ in range(100)]
            answers = [connection.recv(4096) for connection in watching]
            refused = [answer for answer in answers if answer.startswith(b"HTTP/1.1 503 ")]
            assert 36 - 16 <= len(refused) <= 36  # each of the server's threads may find the last room free
            assert all(b"Retry-After: 30\r\n" in answer for answer in refused)
            assert sum(answer.startswith(b"HTTP/1.1 200 ") for answer in answers) == 100 - len(refused)
            assert asked(port).startswith(b"HTTP/1.1 200 ")
        wait_until(lambda: has_room(port), timeout=10, what="there is room for a stream again")
        assert "Traceback" not in web.output()
    finally:
        web.kill()


def has_room(port: int) -> bool:
    with viewer(port, STREAM) as connection:
        return b" 200 " in connection.recv(4096)


@pytest.mark.parametrize(
    ("limit", "room"), [(64, 32), (256, 128), (1024, 896), (4096, 3968), (1_000_000, 8000)]
)
def test_a_part_of_the_files_is_kept_for_other_uses(limit: int, room: int) -> None:
    """Of the rest, half is for streams: a page holds one, and another connection for what it fetches."""
    assert (streams(limit), connections(limit)) == (room // 2, room // 2)
