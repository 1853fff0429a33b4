"""Looks at the page once a second, as a viewer does: how far behind is what it shows?"""

import json
import math
import threading
import time
from collections.abc import Callable
from datetime import datetime
from http.client import HTTPConnection, HTTPException
from typing import Final

from chaos_run.history import History

_EVERY: Final = 1.0
_PATIENCE: Final = 10.0


class Looks:
    """Runs from its construction to `close`, and notes each look."""

    def __init__(
        self,
        port: int,
        history: History,
        *,
        begins: float,
        ends: float = math.inf,
        now: Callable[[], float] = time.time,
    ) -> None:
        """The stream's events lie between `begins` and `ends`, seconds since the epoch by the clock `now`."""
        self._port = port
        self._history = history
        self._ends = ends
        self._now = now
        self.as_of = begins
        """Up to when the last answer counts."""
        self.behind = 0.0
        """Seconds between the stream's time and that up to which the last answer counts."""
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="looks")
        self._thread.start()

    def _run(self) -> None:
        while not self._closed.wait(_EVERY):
            problem = self._look()
            # While the page doesn't answer, a viewer sees what it showed last, which gets older.
            self.behind = max(0.0, min(self._now(), self._ends) - self.as_of)
            self._history.note(
                "look", behind=round(self.behind, 1), **({"problem": problem} if problem else {})
            )

    def _look(self) -> str | None:
        """None, or why there is no answer."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)
        try:
            connection.request("GET", "/api/v1/top")
            response = connection.getresponse()
            text = response.read()
        except (OSError, HTTPException) as error:
            return str(error) or repr(error)
        finally:
            connection.close()
        if response.status != 200:
            return f"status {response.status}"
        if as_of := json.loads(text)["as_of"]:
            self.as_of = datetime.fromisoformat(as_of).timestamp()
        return None

    def close(self) -> None:
        self._closed.set()
        self._thread.join()
