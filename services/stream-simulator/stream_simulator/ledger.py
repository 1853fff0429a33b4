"""The ledger: a record of every event handed out, by which a test can tell what was lost."""

from pathlib import Path
from typing import Protocol


class Ledger(Protocol):
    def record(self, lines: str) -> None:
        """Keep whole lines; they survive a SIGKILL of this process once this returns."""

    def close(self) -> None:
        """Nothing is recorded any more."""


class FileLedger:
    """A file of JSON lines, one per event handed out, added to over restarts.

    A line is written to the file before its event is written to a connection. So every event that a client
    has read whole has a line, even if this process is killed at once. The reverse does not hold: the client
    may go away, or this process be killed, before the event is read. An event cut in the middle has no line.
    An event handed out n times (to n connections, or to a client that rewinds) has n lines, so a reader of
    the ledger counts each `index` (or `id`, the event's `meta.id`) once. The lines of one connection are in
    the order of the stream.

    `kind` is "change", "canary", "huge" (a change with a comment of 1 MB), "malformed" (not JSON) or
    "unreadable" (JSON, but not a change: no title, or wrong types). The other fields are the event's own, as
    they would be without the fault; null where it has none. `domain` is null also where the text hides it.
    `time` is `meta.dt` in ms since the epoch, `timestamp` the event's, in seconds. `handed_out` is when the
    line was written, in ms since the epoch.
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
    """Keeps nothing, for a run whose ledger nobody reads."""

    def record(self, lines: str) -> None:
        """Drop them."""

    def close(self) -> None:
        """There is nothing to close."""
