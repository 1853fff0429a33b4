import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.processes import free_port
from local_stack import readiness, service_settings

URL = "http://stream.invalid/v2/stream/recentchange"


class _Proxy(ThreadingHTTPServer):
    """Answers every request by itself, as a proxy that has fetched it would, and remembers what was asked."""

    asked: list[tuple[str, str]]


class _Handler(BaseHTTPRequestHandler):
    server: _Proxy

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["User-Agent"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        pass


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Proxy]:
    """A proxy that the environment names."""
    with _Proxy(("127.0.0.1", 0), _Handler) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        for variable in ("no_proxy", "NO_PROXY", "HTTP_PROXY"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("WIKI_STREAM_URL", URL)
        monkeypatch.setenv("WIKI_USER_AGENT", "test/1.0 (https://example.org)")
        yield server
        server.shutdown()
        thread.join()


def test_the_stream_is_asked_through_the_proxy(proxy: _Proxy) -> None:
    assert readiness.stream_answers(service_settings.producer()) is None
    assert proxy.asked == [(URL, "test/1.0 (https://example.org)")]


def test_a_stream_that_no_proxy_is_for_is_asked_directly(
    proxy: _Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "stream.invalid")
    assert readiness.stream_answers(service_settings.producer()) is not None
    assert proxy.asked == []


def test_services_on_this_machine_are_asked_directly(proxy: _Proxy) -> None:
    assert "refused" in (readiness.answers(f"http://127.0.0.1:{free_port()}/readyz") or "")
    assert proxy.asked == []


@pytest.mark.parametrize(
    ("answer", "closes", "reason"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 9\r\n\r\nnot", False, "timed out"),
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 9\r\n\r\nnot", True, "503"),
        (b"rubbish\r\n\r\n", True, "rubbish"),
        (b"", True, "closed"),
        (b"", False, "timed out"),
    ],
)
def test_who_is_stopped_in_the_middle_of_an_answer_is_not_ready(
    answer: bytes, closes: bool, reason: str
) -> None:
    """As a service that chaos freezes or kills."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            client, _ = server.accept()
            client.recv(10_000)
            client.sendall(answer)
            if closes:
                client.close()
            else:
                held.append(client)

        held: list[socket.socket] = []
        thread = threading.Thread(target=serve)
        thread.start()
        assert reason in (readiness.answers(f"http://127.0.0.1:{server.getsockname()[1]}/readyz") or "")
        thread.join()
        for client in held:
            client.close()
