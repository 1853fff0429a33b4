"""/metrics and /healthz over HTTP, beside whatever the process does."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from wiki_common import VERSION

_TEXT = "text/plain; charset=utf-8"


class PortInUse(Exception):
    """An address can't be listened on: one line that names the settings, and why."""

    def __init__(self, variable: str, port: int, address: str, reason: str | None) -> None:
        super().__init__(f"{variable}={port}: can't listen on BIND_ADDRESS={address}: {reason}")


def health_text(reasons: list[str], notes: Sequence[str] = ()) -> str:
    """The answer of /healthz: `ok` or what is wrong, then what else should be known, then the version."""
    return "\n".join(("; ".join(reasons) or "ok", *notes, f"version {VERSION}\n"))


@contextmanager
def status_server(
    address: str,
    port: int,
    registry: CollectorRegistry,
    reasons: Callable[[], list[str]],
    *,
    notes: Callable[[], list[str]] = list,
) -> Iterator[None]:
    """Answer on METRICS_PORT while the context lasts. PortInUse when the address can't be had.

    Both are called from the server's threads: `reasons` says why the service isn't well, nothing if it is;
    `notes` says what else should be known.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(registry))
            elif self.path == "/healthz":
                found = reasons()
                status = HTTPStatus.SERVICE_UNAVAILABLE if found else HTTPStatus.OK
                self._answer(status, _TEXT, health_text(found, notes()).encode())
            else:
                self._answer(HTTPStatus.NOT_FOUND, _TEXT, b"not found\n")

        def _answer(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Probes are no news."""

    try:
        server = _server_class(address)((address, port), Handler)
    except OSError as error:
        raise PortInUse("METRICS_PORT", port, address, error.strerror) from None
    thread = threading.Thread(target=server.serve_forever, name="status", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _server_class(address: str) -> type[ThreadingHTTPServer]:
    class Server(ThreadingHTTPServer):
        daemon_threads = True

    if ":" in address:
        Server.address_family = AF_INET6
    return Server
