"""The streams' thread with real sockets: slow, silent and vanished readers, and many."""

import socket
import threading
import time
from collections.abc import Iterator

import psutil
import pytest

from harness.processes import wait_until
from wiki_web.push.events import Event
from wiki_web.push.pace import Pace
from wiki_web.push.streams import Streams

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
RETRY = b"retry: 2000\n\n"
MOST = 400


class Told:
    """Streams that tell of events which the test makes, and the readers at the other ends."""

    def __init__(self, pace: Pace | None = None) -> None:
        self.event: Event | None = None
        self.failed: list[str] = []
        self.streams = Streams(
            lambda: self.event,
            pace or Pace(2.0, lambda: False),
            2.0,
            most=MOST,
            patience=1.0,
            fatal=self.failed.append,
        )
        self.streams.start()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
        self._readers: list[socket.socket] = []

    def tell(self, event_id: str) -> None:
        self.event = Event(event_id, block(event_id))
        self.streams.wake()

    def reader(self, last_event_id: str | None = None, buffer: int | None = None) -> socket.socket:
        """Whose receive buffer is no larger than `buffer` bytes."""
        reader = socket.socket()
        if buffer is not None:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        reader.settimeout(10)
        reader.connect(self._listener.getsockname())
        self.streams.take(self._listener.accept()[0], HEAD, last_event_id)
        self._readers.append(reader)
        return reader

    def close(self) -> None:
        self.streams.stop()
        for each in (*self._readers, self._listener):
            each.close()


@pytest.fixture
def told() -> Iterator[Told]:
    told = Told()
    yield told
    told.close()


def block(event_id: str) -> bytes:
    return f"id: {event_id}\ndata: {{}}\n\n".encode()


def read(reader: socket.socket, until: bytes) -> bytes:
    """What comes, up to where it ends with `until`."""
    found, deadline = b"", time.monotonic() + 12
    while not found.endswith(until):
        assert time.monotonic() < deadline, f"only {found!r}"
        part = reader.recv(65_536)
        assert part, f"ended after {found!r}"
        found += part
    return found


def test_who_comes_is_told_at_once_and_again_when_there_is_something_new(told: Told) -> None:
    told.tell("one")
    reader = told.reader()
    assert read(reader, block("one")) == HEAD + RETRY + block("one")
    told.tell("two")
    assert read(reader, block("two")) == block("two")


def test_who_has_the_newest_waits_for_the_next(told: Told) -> None:
    told.tell("one")
    has, has_not = told.reader("one"), told.reader("zero")
    assert read(has, RETRY) == HEAD + RETRY
    assert read(has_not, block("one")) == HEAD + RETRY + block("one")
    told.tell("two")
    assert read(has, block("two")) == block("two")


def test_before_there_is_anything_to_tell_the_response_begins(told: Told) -> None:
    reader = told.reader()
    assert read(reader, RETRY) == HEAD + RETRY
    told.tell("one")
    assert read(reader, block("one")) == block("one")


def test_a_change_that_nobody_reports_is_told_within_two_seconds(told: Told) -> None:
    """As when an answer turns stale without a commit."""
    told.tell("live")
    reader = told.reader()
    read(reader, block("live"))
    told.event = Event("stale", block("stale"))
    reader.settimeout(2)
    assert read(reader, block("stale")) == block("stale")


def test_a_silent_stream_has_a_comment_within_six_seconds(told: Told) -> None:
    told.tell("one")
    reader = told.reader()
    read(reader, block("one"))
    reader.settimeout(6)
    assert read(reader, b"\n\n") == b":\n\n"


def test_a_comment_in_between_is_not_taken_for_the_event() -> None:
    """Of two viewers one is told seven seconds later, as the server is busy."""
    told = Told(Pace(24.0, lambda: True))
    try:
        told.tell("one")
        readers = [told.reader("one") for _ in range(2)]
        for reader in readers:
            read(reader, RETRY)
        told.tell("two")
        assert sorted(read(reader, block("two")) for reader in readers)[0] == b":\n\n" + block("two")
    finally:
        told.close()


def test_a_slow_reader_gets_the_newest_and_holds_nobody_up(told: Told) -> None:
    """It has few of the events in between, and they need no memory."""
    told.tell("one")
    slow, quick = told.reader(buffer=1024), told.reader()
    read(quick, block("one"))
    count = 0
    deadline = time.monotonic() + 0.8  # before it is given up
    while time.monotonic() < deadline:
        count += 1
        filler = "x" * 1000
        told.event = Event(str(count), f"id: {count}\ndata: {filler}\n\n".encode())
        told.streams.wake()
        read(quick, told.event.block)
    got = read(slow, told.event.block if told.event else b"")
    assert count > 20
    assert got.count(b"id: ") < count / 2


@pytest.mark.parametrize("platform", ["Linux", "another"])
def test_who_reads_nothing_for_long_is_given_up(
    told: Told, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    """Also where the kernel can't be told to do it."""
    if platform != "Linux":
        monkeypatch.delattr(socket, "TCP_USER_TIMEOUT", raising=False)
    told.event = Event("long", b"data: " + b"x" * 100_000 + b"\n\n")
    told.streams.wake()
    told.reader(buffer=1024)
    wait_until(lambda: len(told.streams) == 1, timeout=5, what="it is taken")
    began = time.monotonic()
    wait_until(lambda: len(told.streams) == 0, timeout=5, what="it is given up")
    assert time.monotonic() - began > 0.8


@pytest.mark.parametrize("leave", ["close", "reset", "half", "talk"])
def test_who_leaves_or_says_more_is_forgotten_at_once(told: Told, leave: str) -> None:
    told.tell("one")
    leaving, staying = told.reader(), told.reader()
    read(leaving, block("one"))
    read(staying, block("one"))
    if leave == "reset":
        leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    if leave == "half":
        leaving.shutdown(socket.SHUT_WR)
    elif leave == "talk":
        leaving.sendall(b"GET / HTTP/1.1\r\n\r\n")
    else:
        leaving.close()
    wait_until(lambda: len(told.streams) == 1, timeout=2, what="it is forgotten", every=0.01)
    told.tell("two")
    assert read(staying, block("two")) == block("two")


def test_hundreds_cost_a_file_each_and_no_thread(told: Told) -> None:
    process, threads = psutil.Process(), threading.active_count()
    files = process.num_fds()
    told.tell("one")
    readers = [told.reader() for _ in range(MOST)]
    for reader in readers:
        read(reader, block("one"))
    told.tell("two")
    began = time.monotonic()
    for reader in readers:
        read(reader, block("two"))
    assert 0.8 < time.monotonic() - began < 4  # one after the other: 400 pages to fetch are no herd
    assert threading.active_count() == threads
    assert process.num_fds() == files + 2 * len(readers)  # both ends are in this process
    for reader in readers:
        reader.close()
    wait_until(lambda: len(told.streams) == 0, timeout=10, what="all are forgotten")
    assert process.num_fds() == files


def test_the_rate_holds_while_events_come_quickly(told: Told) -> None:
    """Each of 200 readers is told of some, the last one too, and in the same measure."""
    told.tell("0")
    readers = [told.reader() for _ in range(200)]
    for reader in readers:
        read(reader, block("0"))
    for number in range(1, 101):
        told.tell(str(number))
        time.sleep(0.03)
    counts = [read(reader, block("100")).count(b"id: ") for reader in readers]
    assert max(counts) - min(counts) <= 2
    assert max(counts) <= 6


def test_there_is_no_more_room_than_said(told: Told) -> None:
    for _ in range(MOST - 1):
        told.reader()
    assert told.streams.has_room()
    last = told.reader()
    assert not told.streams.has_room()
    last.close()
    wait_until(told.streams.has_room, timeout=5, what="there is room again")
    told.streams.stop()
    assert not told.streams.has_room()


def test_at_the_end_all_streams_end(told: Told) -> None:
    told.tell("one")
    reader = told.reader()
    read(reader, block("one"))
    told.streams.stop()
    assert reader.recv(1) == b""
    late = told.reader()
    assert late.recv(1) == b""
    told.streams.wake()


def test_an_error_inside_is_fatal_and_leaves_nobody_waiting(told: Told) -> None:
    told.tell("one")
    reader = told.reader()
    read(reader, block("one"))

    def broken() -> Event | None:
        raise RuntimeError("broken")

    told.streams.newest = broken
    told.streams.wake()
    assert reader.recv(1) == b""
    assert told.failed == ["streams: RuntimeError('broken')"]
