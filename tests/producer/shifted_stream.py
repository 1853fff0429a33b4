"""A stream whose clock is not ours: a change a second, at its own time."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from producer.events import EDIT, sse_id


def event(at: float) -> bytes:
    """A change that happened at `at` (seconds since the epoch)."""
    dt = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    meta = {**EDIT["meta"], "id": f"at {at}", "dt": dt}
    data = json.dumps({**EDIT, "meta": meta, "timestamp": int(at)})
    return f"event: message\nid: {sse_id(int(at * 1000))}\ndata: {data}\n\n".encode()


@contextmanager
def shifted_stream(ahead_seconds: float) -> Iterator[str]:
    """The URL of a stream whose time is ours and `ahead_seconds`."""
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            while not ended.is_set():
                self.wfile.write(event(time.time() + ahead_seconds))
                self.wfile.flush()
                ended.wait(1)

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string(time.time() + ahead_seconds)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
