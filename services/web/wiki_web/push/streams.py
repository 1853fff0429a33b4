"""The open streams: one thread owns their sockets and writes to all of them, so a viewer costs no thread.

No socket is waited for. What one doesn't take at once is kept until it does; then it gets the newest event,
without those in between.
"""

import selectors
import socket
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from wiki_web.data.refresher import end_process
from wiki_web.push.events import KEEP_ALIVE, Event, retry
from wiki_web.push.pace import Pace

_KEEP_ALIVE_EVERY: Final = 5.0  # seconds without anything written; stream.js gives up after 12
_PATIENCE: Final = 30.0  # seconds
_LOOK_EVERY: Final = 1.0  # seconds: a state may change without a commit
_TICK: Final = 0.01  # seconds: viewers are told in groups, by no more wake-ups than needed
# Bytes in the kernel for one viewer, which are sent even if there is something newer by then.
_SEND_BUFFER: Final = 4096

_log = structlog.get_logger(__name__)


@dataclass(eq=False)
class _Stream:
    sock: socket.socket
    told: int = 0  # the version of the event that it has
    written_at: float = 0.0
    unsent: bytes = b""


@dataclass(frozen=True)
class _Arrival:
    sock: socket.socket
    head: bytes
    last_event_id: str | None


class Streams:
    """Runs from `start` to `stop`; until then there is no room. `newest` says what there is to tell.

    `period` seconds are what a client is told to wait before it connects again. One that has left unread for
    `patience` seconds what was written to it is given up.
    """

    def __init__(
        self,
        newest: Callable[[], Event | None],
        pace: Pace,
        period: float,
        most: int,
        patience: float = _PATIENCE,
        fatal: Callable[[str], None] = end_process,
    ) -> None:
        self.newest = newest
        self._pace = pace
        self._retry = retry(period)
        self._most = most
        self._patience = patience
        self._fatal = fatal
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        # Counted here, since a stream is in none of those below while it goes from one to the next.
        self._open: set[socket.socket] = set()
        self._arrivals: deque[_Arrival] = deque()
        # Those that can be written to, in the order in which they were told, and that in which they heard.
        self._ready: OrderedDict[_Stream, None] = OrderedDict()
        self._silent: OrderedDict[_Stream, None] = OrderedDict()
        self._full: OrderedDict[_Stream, None] = OrderedDict()  # with something unsent, the oldest first
        self._event: Event | None = None
        self._version = 0
        self._look_at = 0.0

    def __len__(self) -> int:
        """Streams that are open."""
        return len(self._open)

    def has_room(self) -> bool:
        """Whether one more may be taken. Threads that ask at once may all be told so."""
        return self._thread is not None and not self._stopping.is_set() and len(self) < self._most

    def start(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._waking, self._woken = socket.socketpair()
        for each in (self._waking, self._woken):
            each.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._guarded, name="streams", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End all streams."""
        self._stopping.set()
        self.wake()
        if self._thread is not None:
            self._thread.join(2)

    def take(self, sock: socket.socket, head: bytes, last_event_id: str | None) -> None:
        """Own `sock` from now on, and write `head` to it before all else. From any thread."""
        if self._stopping.is_set():
            sock.close()
            return
        self._open.add(sock)
        self._arrivals.append(_Arrival(sock, head, last_event_id))
        self.wake()

    def wake(self) -> None:
        """Look now whether there is something new. From any thread, at any time."""
        if self._thread is not None:
            with suppress(OSError):  # many wake-ups are waiting already, or it has stopped
                self._waking.send(b"\0")

    def _guarded(self) -> None:
        try:
            while not self._stopping.is_set():
                self._turn()
        except Exception as error:  # noqa: BLE001 - viewers would wait for ever: the process ends, with it told
            _log.error("unexpected error", thread="streams", exc_info=error)
            self._fatal(f"streams: {error!r}")
        finally:
            self._close_all()

    def _turn(self) -> None:
        for key, events in self._selector.select(self._pause(time.monotonic())):
            if key.fileobj is self._woken:
                self._woken.recv(4096)
                self._look_at = 0.0
            elif events & selectors.EVENT_READ:
                self._close(key.data)  # it has left; one that says more is no reader of streams
            else:
                self._flush(key.data)
        now = time.monotonic()
        self._look(now)
        self._admit(now)
        self._tell(now)
        self._keep_alive(now)
        self._give_up(now)

    def _pause(self, now: float) -> float:
        """Seconds until there is something to do, if nothing happens before."""
        moments = [self._look_at]
        if (ready := _first(self._ready)) and self._is_due(ready):
            moments.append(now + _TICK)
        if silent := _first(self._silent):
            moments.append(silent.written_at + _KEEP_ALIVE_EVERY)
        if full := _first(self._full):
            moments.append(full.written_at + self._patience)
        return max(0.0, min(moments) - now)

    def _look(self, now: float) -> None:
        if now < self._look_at:
            return
        self._look_at = now + _LOOK_EVERY
        event = self.newest()
        if event is not None and (self._event is None or event.id != self._event.id):
            self._version += 1
        self._event = event or self._event

    def _admit(self, now: float) -> None:
        """Each arrival is told at once, unless it has the newest event."""
        while self._arrivals:
            arrival = self._arrivals.popleft()
            stream = _Stream(arrival.sock)
            try:
                stream.sock.setblocking(False)
                stream.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
                if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux: one whose host is gone is noticed as soon
                    stream.sock.setsockopt(
                        socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(self._patience * 1000)
                    )
                self._selector.register(stream.sock, selectors.EVENT_READ, stream)
            except OSError:
                self._let_go(stream.sock)
                continue
            stream.told = self._version
            self._ready[stream] = self._silent[stream] = None
            greeting = arrival.head + self._retry
            if self._event is not None and self._event.id != arrival.last_event_id:
                greeting += self._event.block
            self._write(stream, greeting, now)

    def _tell(self, now: float) -> None:
        event = self._event
        while event and (stream := _first(self._ready)) and self._is_due(stream):
            if not self._pace.allows(now, len(self)):
                break
            stream.told = self._version
            self._ready.move_to_end(stream)
            self._write(stream, event.block, now)

    def _is_due(self, stream: _Stream) -> bool:
        return stream.told != self._version

    def _keep_alive(self, now: float) -> None:
        while (stream := _first(self._silent)) and stream.written_at + _KEEP_ALIVE_EVERY <= now:
            self._write(stream, KEEP_ALIVE, now)

    def _give_up(self, now: float) -> None:
        while (stream := _first(self._full)) and stream.written_at + self._patience <= now:
            self._close(stream)

    def _write(self, stream: _Stream, block: bytes, now: float) -> None:
        stream.written_at, stream.unsent = now, block
        self._silent.move_to_end(stream)
        self._flush(stream)

    def _flush(self, stream: _Stream) -> None:
        """Send as much as the socket takes; until all of it is sent, there is nothing else for the viewer."""
        try:
            sent = stream.sock.send(stream.unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._close(stream)
            return
        stream.unsent = stream.unsent[sent:]
        if stream.unsent and stream in self._ready:
            del self._ready[stream], self._silent[stream]
            self._full[stream] = None
            self._selector.modify(stream.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, stream)
        elif not stream.unsent and stream in self._full:
            del self._full[stream]
            for waiting in (self._ready, self._silent):
                waiting[stream] = None
                waiting.move_to_end(stream, last=False)
            self._selector.modify(stream.sock, selectors.EVENT_READ, stream)

    def _close(self, stream: _Stream) -> None:
        for streams in (self._ready, self._silent, self._full):
            streams.pop(stream, None)
        self._selector.unregister(stream.sock)
        self._let_go(stream.sock)

    def _let_go(self, sock: socket.socket) -> None:
        sock.close()
        self._open.discard(sock)

    def _close_all(self) -> None:
        while self._arrivals:
            self._let_go(self._arrivals.popleft().sock)
        for stream in [*self._ready, *self._full]:
            self._close(stream)
        self._selector.close()
        self._waking.close()
        self._woken.close()


def _first(streams: OrderedDict[_Stream, None]) -> _Stream | None:
    return next(iter(streams), None)
