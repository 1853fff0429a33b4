"""The lines of a response, in a form that EventSource reads without errors and as the standard says."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

# An event's data is one line. A longer one is cut and then rejected as unreadable: a MiB takes 5 of memory.
LONGEST_LINE: Final = 8 * 1024 * 1024
# EventSource copies what it has of an event at each further line of it.
MOST_LINES: Final = 1_000
_LINE_COST: Final = LONGEST_LINE // MOST_LINES
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class StreamEnded(Exception):
    """The server ended the response; half an event at its end is dropped."""


class Lines:
    """The lines of a body, always valid UTF-8, ended by CR, LF or both.

    Left out is what can't be used: any `retry` (EventSource fails at a large number, and when to connect is
    decided elsewhere), an `id` that is empty or contains NUL, and data beyond what an event may have.
    """

    def __init__(self, read: Callable[[], Awaitable[bytes]]) -> None:
        """`read` returns the next bytes; none at the end."""
        self._read = read
        self._lines: list[bytes] = []  # newest first
        self._rest = b""
        self._after_cr = False
        self._begun = False
        self._data_cost = 0

    def __aiter__(self) -> "Lines":
        return self

    async def __anext__(self) -> bytes:
        while True:
            while not self._lines:
                await self._fill()
            line = self._lines.pop()
            if self._is_usable(line):
                return line

    async def _fill(self) -> None:
        # A fast server keeps the buffer filled; without this, timers and signals would have to wait.
        await asyncio.sleep(0)
        chunk = await self._read()
        if not chunk:
            raise StreamEnded("the server ended the response")
        whole, newline, rest = (self._rest + self._with_lf(chunk)).rpartition(b"\n")
        if not newline:
            self._rest = rest[:LONGEST_LINE]
            return
        self._rest = rest
        if not self._begun:
            self._begun = True
            whole = whole.removeprefix(_BYTE_ORDER_MARK)
        self._lines = _as_utf8(whole).split(b"\n")
        self._lines.reverse()

    def _is_usable(self, line: bytes) -> bool:
        if not line:
            self._data_cost = 0
        elif line.startswith(b"data"):
            before = self._data_cost
            self._data_cost += len(line) + _LINE_COST
            return before < LONGEST_LINE
        elif line.startswith(b"id"):
            value = line.partition(b":")[2]
            return value.strip(b" ") != b"" and b"\0" not in value
        return not line.startswith(b"retry")

    def _with_lf(self, chunk: bytes) -> bytes:
        """The chunk with LF as the only line end; a CR and an LF may come in two chunks."""
        if self._after_cr and chunk.startswith(b"\n"):
            self._after_cr = False
            return self._with_lf(chunk[1:])
        if chunk:
            self._after_cr = chunk.endswith(b"\r")
        if b"\r" in chunk:
            return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk


def _as_utf8(text: bytes) -> bytes:
    try:
        text.decode()
    except UnicodeDecodeError:
        return text.decode("utf-8", "replace").encode()
    return text
