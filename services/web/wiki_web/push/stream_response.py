"""A response whose connection goes to the streams' thread, and so out of gunicorn's hands."""

import socket
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Response
from werkzeug.http import http_date

from wiki_web.push.streams import Streams

SOCKET = "gunicorn.socket"
"""Where gunicorn leaves the client's socket, for those who want to talk another protocol on it."""


class StreamResponse(Response):
    """Raises StopIteration when it is sent, which tells gunicorn that there is nothing left to do.

    Its body ends with the connection, so that HTTP/1.0 (nginx towards us) and 1.1 are served alike.
    """

    def __init__(self, streams: Streams, last_event_id: str | None) -> None:
        super().__init__(content_type="text/event-stream; charset=utf-8")
        self.automatically_set_content_length = False
        self._streams = streams
        self._last_event_id = last_event_id
        self.headers["Cache-Control"] = "no-store"
        self.headers["X-Accel-Buffering"] = "no"  # nginx passes each event on at once

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "HEAD":
            return super().__call__(environ, start_response)
        # gunicorn finds a closed socket when it closes the connection.
        sock = socket.socket(fileno=environ[SOCKET].detach())
        self._streams.take(sock, self._head(), self._last_event_id)
        raise StopIteration

    def _head(self) -> bytes:
        headers = [*self.headers, ("Date", http_date()), ("Connection", "close")]
        lines = [f"HTTP/1.1 {self.status}", *(f"{name}: {value}" for name, value in headers)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")
