"""Answers that are no HTTP, or break off: each is an error of its connection, which is made again."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest

from wiki_producer.stream.connection import open_stream, stream_session
from wiki_producer.stream.position import Live
from wiki_producer.stream.reconnect import CONNECTION_ERRORS, classify

EVENT = b'event: message\nid: 1\ndata: {"a":1}\n\n'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n"
CHUNK = b"%x\r\n%s\r\n" % (len(EVENT), EVENT)


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("answer", "events"),
    [
        (b"", 0),
        (b"\r\n\r\n", 0),
        (b"SSH-2.0-OpenSSH_9.6\r\n", 0),
        (b"HTTP/1.1 abc\r\n\r\n", 0),
        (b"HTTP/9.9 200 OK\r\n\r\n", 0),
        (HEAD + b"X: " + b"x" * 100_000 + b"\r\n\r\n", 0),
        (HEAD + b"no header\r\n\r\n", 0),
        (HEAD + b"Content-Length: -5\r\n\r\n" + EVENT, 0),
        (HEAD + b"Content-Length: 9999\r\n\r\n" + EVENT, 1),
        (HEAD.replace(b"event-stream", b"event-stream; charset=nonsense") + b"\r\n" + EVENT, 1),
        (CHUNKED + b"\r\n" + CHUNK + b"zz\r\n", 1),
        (CHUNKED + b"\r\n" + CHUNK + b"-5\r\nabc\r\n", 1),
        (CHUNKED + b"\r\n" + CHUNK + b"ffffffffffffffffff\r\nabc", 1),
        (CHUNKED + b"Content-Encoding: deflate\r\n\r\n" + CHUNK, 0),
        (CHUNKED + b"Content-Encoding: gzip\r\n\r\n" + CHUNK, 0),
        (CHUNKED + b"Content-Encoding: br\r\n\r\n" + CHUNK, 0),
        (CHUNKED + b"Content-Encoding: nonsense\r\n\r\n" + CHUNK, 1),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 0),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", 0),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nxyz", 0),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 3, 0),
        (b"HTTP/1.1 302 Found\r\n\r\n", 0),
        (b"HTTP/1.1 999 What\r\n\r\n", 0),
    ],
)
async def test_whatever_a_server_sends_is_an_error_of_a_connection(answer: bytes, events: int) -> None:
    found = 0
    with answering(answer) as url:
        async with stream_session("test/1.0 (https://example.org)", None) as session:
            try:
                async with open_stream(session, url, Live(), timedelta(seconds=1)) as stream:
                    async for _ in stream:
                        found += 1
            except CONNECTION_ERRORS as error:
                classify(error)
            else:
                raise AssertionError("a stream ends with an error")
    # What came in one packet with an error may be lost to it, and comes again after the reconnect.
    assert found <= events


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """The URL of a server that sends these bytes for each request and ends the connection."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            with suppress(ConnectionError):
                self.wfile.write(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()
