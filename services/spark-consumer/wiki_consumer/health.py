"""Whether rows flow, with the reason if they don't.

python -m wiki_consumer.health asks the running consumer, prints the reason and exits 0 or 1.
"""

import http.client
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from wiki_consumer import settings

# An idle query reports every few seconds, or at each trigger; a batch of a large backlog takes longer.
MIN_SILENCE = 60.0
TRIGGERS = 3
ASK_TIMEOUT = 5.0


class Health:
    """Written by the consumer, read by the status server. A query that never reported isn't healthy, nor is
    one that was silent for MIN_SILENCE seconds and for TRIGGERS of its triggers.
    """

    def __init__(self, trigger_interval: timedelta, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_silence = max(MIN_SILENCE, TRIGGERS * trigger_interval.total_seconds())
        self._clock = clock
        self._lock = threading.Lock()
        self._trouble: str | None = "starting"
        self._since = clock()

    def trouble(self, reason: str) -> None:
        """Unhealthy for `reason` until the query reports."""
        with self._lock:
            self._trouble = reason

    def reported(self) -> None:
        """A batch was committed, or there was nothing to read."""
        with self._lock:
            self._trouble = None
            self._since = self._clock()

    def reason(self) -> str | None:
        """Why the consumer isn't healthy; None if it is."""
        with self._lock:
            if self._trouble is not None:
                return self._trouble
            silence = self._clock() - self._since
            if silence > self._max_silence:
                return f"no batch committed for {silence:.0f} s"
            return None


def ask(port: int) -> tuple[bool, str]:
    """What the consumer on this machine says of itself."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ASK_TIMEOUT)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        return answer.status == http.client.OK, answer.read().decode().strip()
    except (OSError, http.client.HTTPException) as error:
        return False, f"no answer on port {port}: {error}"
    finally:
        connection.close()


def main() -> int:
    try:
        port = settings.read().metrics_port
    except settings.InvalidSettings as error:
        settings.exit_naming(error)
    healthy, reason = ask(port)
    sys.stdout.write(f"{reason}\n")
    return 0 if healthy else 1


if __name__ == "__main__":
    sys.exit(main())
