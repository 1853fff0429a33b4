"""What happened when, as JSON lines that can be read afterwards."""

import json
import threading
import time
from pathlib import Path
from typing import Any


class History:
    """Each line has `at`, seconds since the run began, and `what`; the rest is by `what`.

    Safe for threads.
    """

    def __init__(self, path: Path) -> None:
        """Begin `path` anew; raises OSError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8")
        self._turn = threading.Lock()
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.monotonic() - self._began

    def note(self, what: str, **more: Any) -> None:
        line = json.dumps({"at": round(self.seconds, 2), "what": what, **more}, ensure_ascii=False)
        with self._turn:
            self._file.write(f"{line}\n")
            self._file.flush()

    def say(self, text: str) -> None:
        """Print a line of progress."""
        print(f"[{self.seconds:5.0f} s] {text}", flush=True)

    def close(self) -> None:
        self._file.close()
