"""What a service has written to its log since it was started last."""

from collections import deque
from pathlib import Path


class StartLog:
    """Reads a log file that may not exist yet, or be rotated away; nothing before `mark` is read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._from = 0

    def mark(self) -> None:
        """The service is started now."""
        self._from = self._size()

    def last_lines(self, count: int) -> list[str]:
        """At most `count` lines since the mark."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            # After a rotation the file is shorter, and all of it is new.
            file.seek(self._from if self._from <= self._size() else 0)
            return [line.decode("utf-8", "replace").rstrip() for line in deque(file, count)]

    def _size(self) -> int:
        return self._path.stat().st_size if self._path.exists() else 0
