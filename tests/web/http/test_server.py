"""`python -m wiki_web` as a process: starts, says what is wrong in one line, ends when asked."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from secrets import token_hex

import psutil
import pytest

from harness.object_store import ObjectStore, copy
from harness.processes import Process, accepts, free_port, have_ended, jvms, wait_until
from harness.store_proxy import SLOW, store_proxy
from web.committed import Change, CommittedChanges, now
from wiki_common.coverage import Coverage
from wiki_common.health.server import health_text
from wiki_common.store.objects import ObjectPath
from wiki_common.store.reading import TAIL
from wiki_common.volume import hour_of

SERVICE = Path(__file__).resolve().parents[3] / "services" / "web"
Start = Callable[..., Process]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def start(committed: CommittedChanges, port: int, tmp_path: Path) -> Iterator[Start]:
    """Start the service on DuckDB, its environment changed by keywords."""
    started: list[Process] = []

    def run(**environment: str) -> Process:
        process = Process(
            [sys.executable, "-m", "wiki_web"],
            log=tmp_path / f"web-{len(started)}.log",
            cwd=SERVICE,
            env={
                "DATA_DIR": str(committed.data_dir),
                "WEB_ENGINE": "duckdb",
                "WEB_PORT": str(port),
                "BIND_ADDRESS": "127.0.0.1",
                **environment,
            },
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_it_serves_what_is_committed_and_ends_on_sigterm(
    start: Start, committed: CommittedChanges, port: int
) -> None:
    web = start()
    wait_until(lambda: accepts(port), timeout=60, what="web listens")
    assert get(port, "/readyz") == (503, "no commit yet\n")
    committed.commit(Change(now(), "A"))
    wait_until(lambda: get(port, "/readyz")[0] == 200, timeout=60, what="web is ready")
    assert json.loads(get(port, "/api/v1/top")[1])["totals"]["changes"] == 1
    assert 'wiki_web_engine_info{engine="duckdb"} 1.0' in get(port, "/metrics")[1]
    assert get(port, "/healthz") == (200, health_text([]))
    assert web.terminate(30) == 0
    assert "Traceback" not in web.output()


def test_it_ends_as_asked_while_it_reads_an_object_store(
    start: Start, committed: CommittedChanges, s3: ObjectStore, s3_folder: ObjectPath, seed: int
) -> None:
    """Python's own end would be aborted by Arrow's threads, which wait for the store by Python's means."""
    hour = hour_of(now()) - timedelta(hours=1)
    comments = [token_hex(400) for _ in range(3000)]
    rows = [Change(hour + timedelta(seconds=n), comment=text) for n, text in enumerate(comments)]
    assert committed.close_hour(hour, rows).stat().st_size > 3 * TAIL
    copy(committed.data_dir, s3_folder)
    with store_proxy(s3.endpoint, seed) as proxy:
        there = {**s3.environment(), "AWS_ENDPOINT_URL": proxy.endpoint, "DATA_DIR": str(s3_folder)}
        web = start(**there)
        wait_until(lambda: proxy.asked["LIST"] > 0, timeout=60, what="web looks", every=0.01)
        proxy.faults, proxy.in_a_row = {SLOW: 1.0}, sys.maxsize
        asked = proxy.asked["GET"]
        wait_until(lambda: proxy.asked["GET"] > asked + 2, timeout=60, what="web reads", every=0.01)
        (worker,) = psutil.Process(web.pid).children()
        assert web.terminate(30) == 0
    assert have_ended([worker])
    assert "was sent" not in web.output()
    assert "Fatal Python error" not in web.output()


def test_on_duckdb_no_java_is_started(start: Start, committed: CommittedChanges, port: int) -> None:
    committed.commit(Change(now(), "A"))
    web = start()
    wait_until(lambda: accepts(port) and get(port, "/readyz")[0] == 200, timeout=60, what="web is ready")
    family = [psutil.Process(web.pid), *psutil.Process(web.pid).children(recursive=True)]
    assert jvms(family) == []


def test_the_duckdb_engine_imports_no_pyspark() -> None:
    modules = "wiki_web.http.server, wiki_web.data.engines.duckdb_engine"
    code = f"import sys, {modules}; sys.exit('pyspark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=SERVICE, check=False).returncode == 0


def test_a_worker_that_is_killed_is_replaced(start: Start, committed: CommittedChanges, port: int) -> None:
    committed.commit(Change(now(), "A"))
    web = start()
    wait_until(lambda: accepts(port) and get(port, "/readyz")[0] == 200, timeout=60, what="web is ready")
    (worker,) = psutil.Process(web.pid).children()
    worker.send_signal(signal.SIGKILL)
    wait_until(lambda: not worker.is_running(), timeout=60, what="the worker is gone")
    wait_until(lambda: get(port, "/readyz")[0] == 200, timeout=60, what="another worker is ready")


def wait_until_ready(committed: CommittedChanges, port: int, what: str = "web is ready") -> None:
    """Also while one process ends and another takes its place; however long it takes, there is news."""

    def is_ready() -> bool:
        committed.commit(covered=Coverage(now()))
        try:
            return get(port, "/readyz")[0] == 200
        except OSError:
            return False

    wait_until(is_ready, timeout=60, what=what, every=0.3)


def kill_master(web: Process) -> list[psutil.Process]:
    """SIGKILL to gunicorn's master alone; the processes that it leaves."""
    orphans = psutil.Process(web.pid).children(recursive=True)
    os.kill(web.pid, signal.SIGKILL)
    web.wait(30)
    return orphans


def test_after_a_kill_of_the_master_the_next_start_serves_and_the_orphan_has_ended(
    start: Start, committed: CommittedChanges, port: int
) -> None:
    """A client that keeps its connection open doesn't keep the orphan alive."""
    committed.commit(Change(now(), "A"))
    web = start()
    wait_until_ready(committed, port)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: ")
        orphans = kill_master(web)
        again = start()
        wait_until(lambda: have_ended(orphans), timeout=30, what="the orphaned worker has ended")
        wait_until_ready(committed, port, "it is ready again")
    assert len(orphans) == 1
    assert again.returncode is None


def test_after_a_kill_of_the_master_at_its_start_the_next_start_serves(
    start: Start, committed: CommittedChanges, port: int
) -> None:
    """While the worker starts Spark, which takes seconds, nothing serves yet but the port is taken."""
    committed.commit(Change(now(), "A"))
    web = start(WEB_ENGINE="spark")
    wait_until(
        lambda: bool(jvms(psutil.Process(web.pid).children(recursive=True))),
        timeout=60,
        what="the worker starts Spark",
        every=0.02,
    )
    orphans = kill_master(web)
    again = start()
    wait_until_ready(committed, port)
    wait_until(lambda: have_ended(orphans), timeout=30, what="the orphaned worker and its JVM have ended")
    assert again.returncode is None


def test_after_a_kill_of_the_master_of_a_stopped_worker_the_next_start_serves(
    start: Start, committed: CommittedChanges, port: int
) -> None:
    """A stopped process runs no code that could look for its master, and holds the port."""
    committed.commit(Change(now(), "A"))
    web = start()
    wait_until_ready(committed, port)
    (worker,) = psutil.Process(web.pid).children()
    worker.suspend()
    kill_master(web)
    again = start()
    try:
        wait_until_ready(committed, port, "it is ready again")
    finally:
        if worker.is_running():
            worker.resume()
    assert again.returncode is None


def test_a_jvm_that_is_killed_ends_web_even_while_nothing_is_asked_of_it(
    start: Start, committed: CommittedChanges, port: int
) -> None:
    """The supervisor starts it anew; with one commit and no request, only the watch can tell."""
    committed.commit(Change(now(), "A"))
    web = start(WEB_ENGINE="spark")
    # Not /readyz: on a busy machine the only commit may be stale before Spark has answered.
    wait_until(lambda: accepts(port) and '"A"' in get(port, "/api/v1/top")[1], timeout=120, what="A counts")
    (java,) = jvms(psutil.Process(web.pid).children(recursive=True))
    java.kill()
    assert web.wait(60) != 0
    assert "spark: its JVM has ended" in web.output()


def test_clients_that_never_finish_a_request_keep_nobody_waiting_for_ever(
    start: Start, committed: CommittedChanges, port: int
) -> None:
    """More of them than the server has threads: silent ones, and such as stop in the middle."""
    committed.commit(Change(now(), "A"))
    web = start()
    wait_until(lambda: accepts(port) and get(port, "/readyz")[0] == 200, timeout=60, what="web is ready")
    with ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(40)]
        for connection in slow[::2]:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert get(port, "/readyz") == (200, "ready\n")
        for connection in slow[::2]:
            connection.settimeout(60)
            assert connection.recv(1) == b""
    assert "error" not in web.output().lower()


@pytest.mark.slow
def test_clients_that_do_not_take_their_answers_keep_nobody_waiting_for_ever(
    start: Start, committed: CommittedChanges, port: int
) -> None:
    """More of them than the server has threads, each with an answer larger than what the sockets hold."""
    committed.commit(*[Change(now(), f"Title {number}", comment="long " * 4000) for number in range(500)])
    web = start()
    wait_until(lambda: accepts(port) and get(port, "/readyz")[0] == 200, timeout=60, what="web is ready")
    with ExitStack() as stack:
        for _ in range(20):
            slow = stack.enter_context(socket.socket())
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(("127.0.0.1", port))
            slow.sendall(b"GET /api/v1/changes?limit=500 HTTP/1.1\r\nHost: web\r\n\r\n")
        assert get(port, "/readyz") == (200, "ready\n")
    assert "error" not in web.output().lower()


def test_the_log_has_one_form(start: Start, committed: CommittedChanges, port: int) -> None:
    committed.commit(Change(now(), "A"))
    web = start(WEB_ENGINE="spark", LOG_FORMAT="json")
    wait_until(lambda: accepts(port), timeout=60, what="web listens")
    wait_until(lambda: "changes loaded" in web.output(), timeout=120, what="changes are loaded")
    lines = [line for line in web.output().splitlines() if "jdk.incubator.vector" not in line]
    assert {"event", "level", "timestamp"} <= set.intersection(*(set(json.loads(line)) for line in lines))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEB_PORT", "zero"),
        ("WEB_ENGINE", "mysql"),
        ("WEB_WINDOW", "30"),
        ("WEB_WINDOW", "25h"),
        ("WEB_TOP_N", "0"),
        ("WEB_REFRESH_SECONDS", "0"),
        ("WEB_MAX_WINDOW", "8d"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(start: Start, name: str, value: str) -> None:
    web = start(**{name: value})
    assert web.wait(60) == 2
    assert web.output().count("\n") == 1
    assert name in web.output()


def test_a_port_in_use_is_named_in_one_line(start: Start, port: int) -> None:
    start()
    wait_until(lambda: accepts(port), timeout=60, what="the first listens")
    second = start()
    assert second.wait(60) == 1
    line = f"WEB_PORT={port}: can't listen on BIND_ADDRESS=127.0.0.1: Address already in use\n"
    assert second.output() == line
