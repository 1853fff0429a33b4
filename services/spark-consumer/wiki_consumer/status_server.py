"""/metrics and /healthz over HTTP."""

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from wiki_consumer.health import Health

_TEXT = "text/plain; charset=utf-8"


class PortUnavailable(Exception):
    """The status server can't listen: names the setting."""


def serve(address: str, port: int, registry: CollectorRegistry, health: Health) -> ThreadingHTTPServer:
    """Answer in the background until the process ends. Raises PortUnavailable."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(HTTPStatus.OK, CONTENT_TYPE_PLAIN_0_0_4, generate_latest(registry))
            elif self.path == "/healthz":
                reason = health.reason()
                status = HTTPStatus.OK if reason is None else HTTPStatus.SERVICE_UNAVAILABLE
                self._answer(status, _TEXT, f"{reason or 'ok'}\n".encode())
            else:
                self._answer(HTTPStatus.NOT_FOUND, _TEXT, b"not found\n")

        def _answer(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class's name)
            """Probes are no news."""

    try:
        server = ThreadingHTTPServer((address, port), Handler)
    except OSError as error:
        raise PortUnavailable(
            f"METRICS_PORT={port}: can't listen on BIND_ADDRESS={address}: {error.strerror}"
        ) from None
    threading.Thread(target=server.serve_forever, name="status", daemon=True).start()
    return server
