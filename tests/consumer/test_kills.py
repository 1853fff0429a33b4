"""SIGKILL at seeded random moments, JVM included, while records come, hours are closed and a reader looks."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from consumer import any_reader, topics
from consumer.running import Consumer, committed_ids, committed_rows
from consumer.topics import event
from consumer.volumes import Volume
from harness.kafka import Broker
from wiki_common.coverage import Gap
from wiki_consumer.volume.raw_files import list_raw_files, read_footer

KILLS = 20
PER_SECOND = 100
# Events begin so long ago, in seconds, and each is so much later than the last: an hour passes in 12 s.
FIRST = 20 * 3600
STEP = 3.0
OUT_OF_ORDER = 1000
# Without a rest, the reader would take one of two cores from the consumer's many starts.
PAUSE = 0.3
# Files stay for a while after their hour was closed: these see every row.
Read = Callable[[Path], Counter[str]]
OTHERS: Mapping[str, Read] = {"DuckDB": any_reader.with_duckdb, "pyarrow": any_reader.with_pyarrow}


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


class Reader:
    """Looks at a volume all the time, and notes each look that lost a row or saw one twice.

    It rests for `pause` seconds after each look. `others` read `changes` alone, of which no file may go.
    """

    def __init__(self, volume: Volume, pause: float, others: Mapping[str, Read]) -> None:
        self._others = others
        self._pause = pause
        self._volume = volume
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.looks = 0
        self.faults: list[str] = []
        self._thread.start()

    def _run(self) -> None:
        last: Counter[str] = Counter()
        others: dict[str, Counter[str]] = {name: Counter() for name in self._others}
        while not self._ended.wait(self._pause):
            before = self._volume.folders.history_end()
            try:
                seen = self._volume.what_a_reader_sees()
            except FileNotFoundError:
                continue  # an hour's files may go while a slow look still reads them: it has to look again
            if self._volume.folders.history_end() != before:
                continue  # an hour that was published meanwhile may be counted from both sides
            self.looks += 1
            self._note("history and changes", last, seen)
            last = seen
            if not any(self._volume.raw_files()):
                continue
            for name, read in self._others.items():
                found = read(self._volume.changes)
                self._note(name, others[name], found)
                others[name] = found

    def _note(self, who: str, before: Counter[str], seen: Counter[str]) -> None:
        lost, double = before - seen, seen - Counter(seen.keys())
        if lost or double:
            self.faults.append(f"{who}, {self.looks}: lost {list(lost)[:5]}, double {list(double)[:5]}")

    def end(self) -> None:
        self._ended.set()
        self._thread.join()


@contextmanager
def reader(data: Path, *, pause: float = 0, others: bool = False) -> Iterator[Reader]:
    looking = Reader(Volume(data, Counter()), pause, OTHERS if others else {})
    try:
        yield looking
    finally:
        looking.end()


def assert_is_never_set_back(volume: Volume) -> None:
    """The time up to which everything is counted, from batch to batch."""
    files = [volume.changes / raw.name for raw in list_raw_files(volume.changes) if not raw.is_part]
    told = [as_of for file in files if (as_of := read_footer(file).coverage.as_of)]
    assert len(told) == len(files)
    assert told == sorted(told)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_kills_lose_and_double_nothing_for_readers_at_any_moment(
    spark: SparkSession, broker: Broker, new_topic_name: Callable[[], str], tmp_path: Path, seed: int
) -> None:
    topic = new_topic_name()
    topics.create(broker.bootstrap_servers, topic)
    consumer = Consumer(
        tmp_path,
        broker.bootstrap_servers,
        topic,
        module="consumer.fast_hours",
        MAX_EVENT_AGE="24h",
    )
    moments = random.Random(seed)
    try:
        with reader(consumer.data, pause=PAUSE, others=True) as looking:
            with load(broker.bootstrap_servers, topic, seed) as running:
                for _ in range(KILLS):
                    process = consumer.start()
                    before = committed_rows(consumer.data)
                    # From the start of the query on: most kills hit a batch, some the recovery of the last.
                    consumer.wait_for_line("query started")
                    if moments.random() < 0.7:
                        consumer.wait_for_more_than(before)
                    time.sleep(moments.uniform(0, 2))
                    if moments.random() < 0.2:
                        consumer.kill_python_alone()  # its JVM still writes while the next one starts
                    else:
                        process.kill()
            process = consumer.start()
            expected = {f"event-{number}" for number in range(running.written)}
            consumer.wait_for_ids(expected)
            assert process.terminate(60) == 0
        assert committed_ids(consumer.data) == dict.fromkeys(expected, 1)
        assert Volume(consumer.data, Counter()).what_a_reader_sees() == dict.fromkeys(expected, 1)
        assert any_reader.with_spark(spark, consumer.data / "changes") == dict.fromkeys(expected, 1)
        assert looking.faults == []
        assert looking.looks > KILLS
        volume = Volume(consumer.data, Counter())
        assert len(volume.folders.hours()) > 2
        assert volume.gaps_that_a_reader_sees() == (Gap(None, datetime.fromtimestamp(running.begin, UTC)),)
        assert_is_never_set_back(volume)
    finally:
        consumer.close()
