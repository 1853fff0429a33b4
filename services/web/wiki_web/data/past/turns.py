"""One computation at a time; few may wait for theirs."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Final, Generic, TypeVar

from wiki_web.data.answer_cache import Busy

MOST: Final = 3
"""Requests that wait at once, and computations: they hold threads that the live page is served by.

With one more, viewers of the live page would be told of answers as slowly as on a busy server (push/pace.py).
"""
_LONGEST_WAIT: Final = 15.0  # seconds

ResultT = TypeVar("ResultT")


class Turns(Generic[ResultT]):
    """Equal keys are computed once. For any thread."""

    def __init__(self, longest_wait: float = _LONGEST_WAIT) -> None:
        self._longest_wait = longest_wait
        self._guard = threading.Lock()
        self._waiting = 0
        self._running: dict[Hashable, Future[ResultT]] = {}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="past")

    def result(self, key: Hashable, compute: Callable[[], ResultT]) -> ResultT:
        """What `compute` gives, or what it gave for an equal key and nobody has waited for.

        Raises Busy, or what `compute` raises.
        """
        with self._guard:
            if self._waiting == MOST:
                raise Busy(f"{MOST} requests for past moments are waiting")
            running = self._of(key, compute)
            self._waiting += 1
        over = True
        try:
            return running.result(self._longest_wait)
        except FutureTimeoutError as error:
            # It goes on: who asks again finds its result.
            over = False
            raise Busy(f"not computed within {self._longest_wait:g} s") from error
        finally:
            with self._guard:
                self._waiting -= 1
                if over and self._running.get(key) is running:
                    del self._running[key]

    def _of(self, key: Hashable, compute: Callable[[], ResultT]) -> Future[ResultT]:
        if key not in self._running:
            self._running = {key: each for key, each in self._running.items() if not each.done()}
            if len(self._running) >= MOST:
                raise Busy(f"{MOST} past moments are being computed")
            self._running[key] = self._worker.submit(compute)
        return self._running[key]
