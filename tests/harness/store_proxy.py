"""A proxy before an object store, which counts requests and lets some fail in the ways that stores do."""

import http.client
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

SLOW: Final = "slow"
REFUSED: Final = "refused"
"""503 Slow Down, and nothing done"""
CUT: Final = "cut"
"""The connection ends in the middle of the answer; what was asked for is done."""
LOST: Final = "lost"
"""The connection ends before the request has got anywhere."""
_SLOW_SECONDS: Final = 2.0
_HOP_BY_HOP: Final = frozenset({"connection", "expect", "keep-alive", "transfer-encoding"})


@dataclass
class StoreProxy:
    """`faults` says of each kind which share of requests it befalls; it may be changed at any time."""

    store: str
    seed: int
    faults: Mapping[str, float] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    """How often, by what: PUT, GET, HEAD, DELETE or LIST."""
    befell: Counter[str] = field(default_factory=Counter)
    in_a_row: int = 2
    """No more faults than so many come one after the other: who asks once more gets through."""
    refused: str = ""
    """Each request with this in its path is refused, however many there are."""
    endpoint: str = ""

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._guard = threading.Lock()
        self._lately = 0

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Meanwhile no request gets through."""
        usual = self.faults, self.in_a_row
        self.faults, self.in_a_row = {REFUSED: 0.5, LOST: 0.5}, sys.maxsize
        try:
            yield
        finally:
            self.faults, self.in_a_row = usual

    def fault_of(self, what: str, path: str) -> str | None:
        """Which one befalls the request that comes now; it is counted."""
        with self._guard:
            self.asked[what] += 1
            if self.refused and self.refused in path:
                self.befell[REFUSED] += 1
                return REFUSED
            drawn = self._chance.random()
            if self._lately < self.in_a_row:
                for fault, share in self.faults.items():
                    if drawn < share:
                        self.befell[fault] += 1
                        self._lately += 1
                        return fault
                    drawn -= share
            self._lately = 0
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: StoreProxy

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.proxy.fault_of("LIST" if "list-type=" in self.path else self.command, self.path)
        if fault == LOST:
            self.close_connection = True
            return
        if fault == REFUSED:
            self._answer(503, {"Content-Type": "application/xml"}, b"<Error><Code>SlowDown</Code></Error>")
            return
        if fault == SLOW:
            time.sleep(_SLOW_SECONDS)
        store = http.client.HTTPConnection(urlsplit(self.proxy.store).netloc, timeout=60)
        kept = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        store.request(self.command, self.path, body, kept)
        with store.getresponse() as answer:
            content = answer.read()
            headers = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
        store.close()
        self._answer(answer.status, headers, content, cut=fault == CUT)

    def _answer(self, status: int, headers: Mapping[str, str], content: bytes, *, cut: bool = False) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() != "content-length" or self.command == "HEAD":
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(content)))
        if cut:
            self.close_connection = True
            self.wfile.write(b"".join(self._headers_buffer)[:20])  # type: ignore[attr-defined]
            return
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _forward

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the standard library
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is killed cuts its connections."""


@contextmanager
def store_proxy(store: str, seed: int) -> Iterator[StoreProxy]:
    """Before the store at the URL `store`."""
    proxy = StoreProxy(store, seed)
    with _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": proxy})) as server:
        proxy.endpoint = f"http://127.0.0.1:{server.server_port}"
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            serving.join()
