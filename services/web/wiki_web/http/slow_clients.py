"""gunicorn's threads without its patience: a client that is slow to ask or to read holds none for long.

gunicorn waits without limit for the rest of a request that has begun, and for a client to take its answer;
it stays two seconds in its main loop for a client to close its end.
"""

import errno
import os
import socket
import time
from contextlib import suppress
from typing import Final

from gunicorn.workers.gthread import TConn, ThreadWorker

from wiki_web.data.refresher import end_process

REQUEST_SECONDS: Final = 5.0  # for all of a request, once it has begun
ANSWER_SECONDS: Final = 15.0  # for the client to take its answer
# A connection that brings no request goes back to the poller at once, and is closed after `keepalive`.
_FIRST_BYTE_SECONDS: Final = 0.05
_MOST_DRAINED: Final = 65_536  # bytes that a refused request may still have sent: unread, they cut the answer


class SlowClient(ConnectionResetError):
    """The request was not whole in time; gunicorn ends such a connection without a line in its log."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, f"no whole request within {REQUEST_SECONDS:g} s")


class _Reads:
    """A socket's `recv` for one request at a time, bounded in all."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.deadline = 0.0

    def recv(self, size: int) -> bytes:
        self._sock.settimeout(max(0.001, self.deadline - time.monotonic()))
        try:
            return self._sock.recv(size)
        except TimeoutError as error:
            raise SlowClient from error
        finally:
            self._sock.settimeout(ANSWER_SECONDS)


class _Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    def init(self) -> None:
        super().init()
        self.sock.settimeout(ANSWER_SECONDS)
        reads = self.parser.unreader.sock
        if not isinstance(reads, _Reads):
            reads = self.parser.unreader.sock = _Reads(self.sock)
        reads.deadline = time.monotonic() + REQUEST_SECONDS

    def wait_for_data(self, timeout: float) -> bool:
        return bool(super().wait_for_data(min(timeout, _FIRST_BYTE_SECONDS)))

    def close(self, graceful: bool = False) -> None:
        """As gunicorn, which however waits for the client in the loop that serves all others."""
        if graceful:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_WR)
                self.sock.setblocking(False)
                self.sock.recv(_MOST_DRAINED)
        super().close()


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's threaded worker with bounded connections."""

    def is_parent_alive(self) -> bool:
        """Ends the process once its master was killed: waiting for clients, it held the next one's port."""
        if self.ppid != os.getppid():
            end_process("gunicorn's master is gone")
        return True

    def accept(self, listener: socket.socket) -> None:
        try:
            sock, client = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        self.enqueue_req(_Connection(self.cfg, sock, client, listener.getsockname()))
