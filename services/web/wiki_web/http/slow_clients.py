"""gunicorn's threaded worker with deadlines: a client that sends or reads slowly holds no thread for long.

gunicorn itself waits without limit for the rest of a request and for a client to read its answer, and its
main loop waits two seconds for a client to close a connection.
"""

import errno
import socket
import time
from contextlib import suppress
from typing import Final

from gunicorn.workers.gthread import TConn, ThreadWorker

from wiki_web.http.orphans import end_with_master

REQUEST_SECONDS: Final = 5.0  # from a request's first byte to its last
ANSWER_SECONDS: Final = 15.0  # for the client to read its answer
_OUT_OF_FILES_SECONDS: Final = 0.1
# A connection without a request so soon goes back to the poller, which closes it after `keepalive`.
_FIRST_BYTE_SECONDS: Final = 0.05
# Bytes of a refused request that are read before closing; unread ones would cut off the answer.
_MOST_DRAINED: Final = 65_536


class SlowClient(ConnectionResetError):
    """The request took too long. As a ConnectionResetError, it is not logged by gunicorn."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, f"no whole request within {REQUEST_SECONDS:g} s")


class _Reads:
    """A socket's `recv` with one deadline for a whole request."""

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
        """As gunicorn's, but without waiting for the client: this runs in the loop that serves all others."""
        if graceful:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_WR)
                self.sock.setblocking(False)
                self.sock.recv(_MOST_DRAINED)
        super().close()


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's threaded worker with bounded times."""

    def init_process(self) -> None:
        """As gunicorn's, which loads the app here and serves until the end."""
        end_with_master(self.ppid)
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        try:
            sock, client = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            time.sleep(_OUT_OF_FILES_SECONDS)  # the client waits in the kernel's queue
            return
        self.nr_conns += 1
        self.enqueue_req(_Connection(self.cfg, sock, client, listener.getsockname()))
