"""SIGTERM and SIGINT."""

import signal


class Shutdown:
    """A request to stop. It ends the process at once until `spark_is_up`, and only sets a flag from then on.

    A handler that called Spark while the main thread waits for Spark would end with an error.
    """

    def __init__(self) -> None:
        self._requested = False
        self._started = False
        self._listen()

    def spark_is_up(self) -> None:
        """A new session has replaced the handler of SIGINT by one that calls Spark: put ours back."""
        self._started = True
        self._listen()

    def requested(self) -> bool:
        return self._requested

    def _listen(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._request)

    def _request(self, *_: object) -> None:
        self._requested = True
        if not self._started:
            raise SystemExit(0)
