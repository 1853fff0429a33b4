"""A load of changes as a topic has them: out of order, some of them twice, with rubbish between."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from consumer import topics
from consumer.topics import event

PER_SECOND = 100
# Events begin so long ago, in seconds, and each is so much later than the last: an hour passes in 12 s.
FIRST = 20 * 3600
STEP = 3.0
OUT_OF_ORDER = 1000


class Load:
    """Writes new events, some of them twice, with rubbish between, until it is ended.

    The first is `first` seconds old, and each is `step` seconds later than the one before, up to now.
    """

    def __init__(self, bootstrap_servers: str, topic: str, seed: int, first: float, step: float) -> None:
        self._seed = seed
        self._first = first
        self._step = step
        self._writer = topics.Writer(bootstrap_servers, topic)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._started = time.time()
        self.begin = round(self._started - first) - OUT_OF_ORDER
        self.written = 0
        self._thread.start()

    def _run(self) -> None:
        chance = random.Random(self._seed)
        self._writer.beat(self.begin, covered_from=self.begin)
        while not self._ended.wait(0.5):
            new = range(self.written, self.written + PER_SECOND // 2)
            again = [chance.randrange(new.stop) for _ in range(5)]
            self._writer.write([self._event(number) for number in (*new, *again)])
            too_old, year_ahead = time.time() - 25 * 3600, time.time() + 365 * 86_400
            self._writer.write(
                [None, b"{", event(-1, at=too_old), event(-2, at=year_ahead), event(-3, title=None)]
            )
            self._writer.beat(self._time_of(new.stop))
            self.written = new.stop

    def _time_of(self, number: int) -> float:
        """When it is said to have happened, but for the disorder."""
        return min(self._started - self._first + number * self._step, time.time())

    def _event(self, number: int) -> dict[str, Any]:
        """One in ten has values of the wrong type; it counts all the same."""
        out_of_order = random.Random(number).uniform(0, OUT_OF_ORDER)
        at = self._time_of(number) - out_of_order
        wrong = {"length": "long", "id": []} if number % 10 == 0 else {}
        return event(number, at=at, **wrong)

    @property
    def ids(self) -> set[str]:
        """Of all that has been written so far."""
        return {f"event-{number}" for number in range(self.written)}

    def end(self) -> None:
        self._ended.set()
        self._thread.join()
        self._writer.close()


@contextmanager
def load(
    bootstrap_servers: str, topic: str, seed: int, *, first: float = FIRST, step: float = STEP
) -> Iterator[Load]:
    running = Load(bootstrap_servers, topic, seed, first, step)
    try:
        yield running
    finally:
        running.end()
