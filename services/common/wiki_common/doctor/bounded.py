"""Runs a check for so long and no longer, whatever it waits for."""

import threading
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from typing import Final

from wiki_common.doctor.finding import Check, Finding, problem

LIMIT_SECONDS: Final = 45.0


def findings_of(check: Check, seconds: float = LIMIT_SECONDS) -> Iterator[Finding]:
    """Each finding as it is made, for `seconds` at most. What the check raises is a problem."""
    found: SimpleQueue[Finding | None] = SimpleQueue()

    def look() -> None:
        try:
            for finding in check.look():
                found.put(finding)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told in one line
            said = " ".join(f"{type(error).__name__}: {error}".split())
            found.put(problem(check.what, f"the check itself failed ({said}): please report this line"))
        found.put(None)

    # A check that hangs must not keep the process from ending.
    threading.Thread(target=look, name=check.what, daemon=True).start()
    deadline = time.monotonic() + seconds
    while True:
        try:
            finding = found.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            yield problem(check.what, f"no answer within {seconds:.0f} s: see what this waits for")
            return
        if finding is None:
            return
        yield finding
