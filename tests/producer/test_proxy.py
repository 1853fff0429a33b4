"""The stream behind a proxy for going out: a real one, which knows the only way to the stream's host."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.certificates import Authority
from harness.forward_proxy import ForwardProxy, forwarding
from harness.kafka import Broker
from harness.processes import wait_until
from producer.events import edit, sse_id
from producer.flow import Flow, running

HOST = "stream.example"


@pytest.fixture
def flow(tmp_path: Path, broker: Broker, new_topic_name: Callable[[], str]) -> Iterator[Flow]:
    with running(tmp_path, broker.bootstrap_servers, new_topic_name()) as flow:
        yield flow


@contextmanager
def secure_stream(folder: Path) -> Iterator[tuple[int, Path]]:
    """The port of a stream of one edit over TLS, for the name HOST, and the authority's certificate."""
    authority = Authority(folder)
    certificate = authority.issue(HOST, hosts=(f"DNS:{HOST}",))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(f"event: message\nid: {sse_id(1)}\ndata: {edit()}\n\n".encode())
            self.wfile.flush()
            threading.Event().wait(60)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1], authority.cafile
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_a_stream_over_tls_is_read_through_the_proxy_with_its_login(
    flow: Flow, tmp_path: Path, name: str
) -> None:
    with (
        secure_stream(tmp_path / "tls") as (port, cafile),
        forwarding(ForwardProxy({HOST: port}, login="me:s3cret")) as proxy,
    ):
        producer = flow.start_producer(
            WIKI_STREAM_URL=f"https://{HOST}/v2/stream/recentchange",
            SSL_CERT_FILE=str(cafile),
            LOG_LEVEL="DEBUG",
            **{name: f"http://me:s3cret@127.0.0.1:{proxy.port}"},
        )
        wait_until(lambda: len(flow.records()) == 1, timeout=60, what="the event in the topic", every=0.5)
        assert producer.terminate(30) == 0
        assert proxy.asked == [f"CONNECT {HOST}:443"]
        assert "s3cret" not in producer.output()


def test_a_stream_without_tls_is_read_through_the_proxy_and_names_that_are_left_out_are_not(
    flow: Flow,
) -> None:
    flow.start_stream(rate=100, events=10**9)
    port = int(flow.environment["WIKI_STREAM_URL"].split(":")[2].split("/")[0])
    with forwarding(ForwardProxy({HOST: port})) as proxy:
        env = {
            "WIKI_STREAM_URL": f"http://{HOST}/v2/stream/recentchange",
            "HTTP_PROXY": f"127.0.0.1:{proxy.port}",
        }
        producer = flow.start_producer(**env)
        wait_until(lambda: len(flow.records()) > 1, timeout=60, what="events in the topic", every=0.5)
        assert producer.terminate(30) == 0
        assert proxy.asked == [f"GET http://{HOST}/v2/stream/recentchange"]

        producer = flow.start_producer(**env, NO_PROXY=" other.example, .example")
        wait_until(lambda: f"host {HOST}:80" in producer.output(), timeout=60, what="it asks directly")
        assert producer.terminate(30) == 0
        assert len(proxy.asked) == 1


def test_a_proxy_that_refuses_the_login_is_named(flow: Flow) -> None:
    with forwarding(ForwardProxy({}, login="me:s3cret")) as proxy:
        producer = flow.start_producer(
            WIKI_STREAM_URL=f"https://{HOST}/", HTTPS_PROXY=f"http://me:wr0ng@127.0.0.1:{proxy.port}"
        )
        wait_until(lambda: "stream lost" in producer.output(), timeout=60, what="the stream is not reached")
        assert "the proxy refuses: HTTP 407" in producer.output()
        assert "wr0ng" not in producer.output()
        assert "Traceback" not in producer.output()
        assert producer.terminate(30) == 0
