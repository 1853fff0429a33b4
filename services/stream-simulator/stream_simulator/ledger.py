"""The ledger: what was handed out, for a test that asks what was lost."""

from pathlib import Path
from typing import Protocol


class Ledger(Protocol):
    def record(self, lines: str) -> None:
        """Keep whole lines; they survive a SIGKILL of this process once this returns."""

    def close(self) -> None:
        """Let go of what is open."""


class FileLedger:
    """A file of JSON lines, one per event handed out, added to over restarts.

    A line promises: once the operating system had it, and not before, the whole event was given to one
    connection's socket. So every event that any client has read whole has a line, even if this process is
    killed at once. The reverse does not hold: the client may have gone, or this process been killed, before
    the event was read. An event cut in the middle has no line. An event handed out n times (to n connections,
    or to a client that rewinds) has n lines: readers count each `index` (or `id`: the event's `meta.id`)
    once. Lines of one connection are in the order of the stream.

    `kind` is "change", "canary", "huge" (a change with a comment of 1 MB), "malformed" (not JSON) or
    "unreadable" (JSON, but not a change: no title, or wrong types). The other fields are the event's own, as
    they would be without the fault; null where it has none, `domain` also where the text does not show it.
    `time` is `meta.dt` in ms since the epoch, `timestamp` the event's, in seconds.
    """

    def __init__(self, path: Path) -> None:
        """Open `path`; raises OSError."""
        self._file = path.open("ab")

    def record(self, lines: str) -> None:
        self._file.write(lines.encode())
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class NoLedger:
    """Where nobody asks what was handed out."""

    def record(self, lines: str) -> None:
        """Forget them."""

    def close(self) -> None:
        """Nothing is open."""
