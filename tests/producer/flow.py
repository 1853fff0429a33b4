"""A simulated stream and a producer as processes, and the question what was lost between them."""

import json
import sys
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

from harness.processes import Process, accepts, free_port, wait_until
from producer.topics import Record, TopicReader, make_topics, settings_for

WIKI = "en.wikipedia.org"
UNREADABLE = {"malformed", "unreadable"}
TIMEOUT = 150


@dataclass(frozen=True)
class Handed:
    """The events of the ledger that concern the producer, by index, each once."""

    changes: dict[int, dict[str, Any]]
    unreadable: dict[int, dict[str, Any]]


class Flow:
    """One stream, one producer, the two topics. All processes end with `close`.

    `wiki` is the domain whose changes the producer keeps, `*` for all.
    """

    def __init__(
        self, folder: Path, bootstrap_servers: str, topic: str, *, partitions: int = 1, wiki: str = WIKI
    ) -> None:
        self._folder = folder
        self._wiki = wiki
        self._bootstrap_servers = bootstrap_servers
        self._settings = settings_for(bootstrap_servers, topic, kafka_topic_partitions=partitions)
        make_topics(self._settings)
        self._stream_port, self._metrics_port = free_port(), free_port()
        self._ledger = folder / "ledger.jsonl"
        self._readers = [
            TopicReader(bootstrap_servers, name) for name in (topic, self._settings.rejected_topic)
        ]
        self.stream: Process | None = None
        self.producer: Process | None = None

    def start(
        self, *, rate: int, events: int, faults: Mapping[str, int] | None = None, **env: str
    ) -> Process:
        """Start the producer and then the stream, whose first event is thus read however slow a start is."""
        producer = self.start_producer(**env)

        def tries() -> bool:
            self._check_that_it_runs()
            return "stream lost" in producer.output()

        wait_until(tries, timeout=TIMEOUT, what="the producer tries to read")
        self.start_stream(rate=rate, events=events, **(faults or {}))
        return producer

    def start_stream(self, *, rate: int, events: int, **faults: int) -> None:
        """Serve `events` events of all wikis, the first of them now."""
        flags: dict[str, object] = {
            "rate": rate,
            "events": events,
            "start": int(time.time() * 1000),
            **faults,
        }
        flags |= {"host": "127.0.0.1", "port": self._stream_port, "ledger": self._ledger}
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]
        self.stream = Process(
            [sys.executable, "-m", "stream_simulator", *arguments], log=self._folder / "stream.log"
        )
        wait_until(lambda: accepts(self._stream_port), timeout=60, what="the stream listens")

    def start_producer(self, module: str = "wiki_producer", **env: str) -> Process:
        self.producer = Process(
            [sys.executable, "-m", module],
            log=self._folder / "producer.log",
            env=self.environment | env,
        )
        return self.producer

    @property
    def environment(self) -> dict[str, str]:
        return {
            "WIKI_STREAM_URL": f"http://127.0.0.1:{self._stream_port}/v2/stream/recentchange",
            "WIKI_DOMAINS": self._wiki,
            "KAFKA_BOOTSTRAP_SERVERS": self._bootstrap_servers,
            "KAFKA_TOPIC": self._settings.kafka_topic,
            "METRICS_PORT": str(self._metrics_port),
            "BIND_ADDRESS": "127.0.0.1",
        }

    def metric(self, name: str) -> float:
        """A sample of the producer's, summed over its labels; 0 while it can't be had."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self._metrics_port}/metrics", timeout=5
            ) as answer:
                lines = answer.read().decode().splitlines()
        except (URLError, OSError):
            return 0
        return sum(
            float(line.rsplit(" ", 1)[1])
            for line in lines
            if line.split("{")[0].split(" ")[0] == f"wiki_producer_{name}"
        )

    def health(self) -> tuple[int, str]:
        """Status and text of /healthz; (0, "") while it can't be had."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self._metrics_port}/healthz", timeout=5
            ) as answer:
                return answer.status, answer.read().decode()
        except urllib.request.HTTPError as error:
            return error.code, error.read().decode()
        except (URLError, OSError):
            return 0, ""

    def handed(self) -> Handed:
        handed = Handed({}, {})
        if self._ledger.exists():
            for line in self._ledger.read_bytes().splitlines():
                event = json.loads(line)
                if event["kind"] in UNREADABLE:
                    handed.unreadable[event["index"]] = event
                elif event["kind"] in {"change", "huge"} and self._wiki in {"*", event["domain"]}:
                    handed.changes[event["index"]] = event
        return handed

    def records(self) -> list[Record]:
        """Those of changes."""
        return [record for record in self._readers[0].read() if not record.is_heartbeat]

    def heartbeats(self) -> list[Record]:
        return [record for record in self._readers[0].read() if record.is_heartbeat]

    def rejected(self) -> list[Record]:
        return self._readers[1].read()

    def await_all(self, *, last_index: int, timeout: float = TIMEOUT) -> None:
        """Wait until the stream has handed out its last event and the topics hold all that is wanted."""
        wait_until(lambda: self._reached(last_index), timeout=timeout, what="the stream's end", every=0.3)
        wait_until(lambda: not self.missing(), timeout=timeout, what="all events in the topics", every=0.5)

    def await_handed(self, timeout: float = TIMEOUT) -> None:
        """Wait until the topic holds every change that the stream has handed out by now; it may go on."""
        handed = {event["id"] for event in self.handed().changes.values()}
        wait_until(
            lambda: not (handed & self.missing()),
            timeout=timeout,
            what=f"all of {len(handed)} changes in the topic",
            every=0.5,
        )

    def _check_that_it_runs(self) -> None:
        if self.producer is not None and self.producer.returncode is not None:
            raise AssertionError(f"the producer ended:\n{self.producer.output()[-3000:]}")

    def _reached(self, last_index: int) -> bool:
        self._check_that_it_runs()
        if not self._ledger.exists():
            return False
        tail = self._ledger.read_bytes()[-4000:].splitlines()
        return bool(tail) and json.loads(tail[-1])["index"] >= last_index

    def missing(self) -> set[str]:
        """Changes handed out that are not in the topic, and unreadable events that are not in the other."""
        handed = self.handed()
        published = {record.event_id for record in self.records()}
        missing = {event["id"] for event in handed.changes.values()} - published
        rejections = {(each.headers["last-event-id"], each.value) for each in self.rejected()}
        if len(rejections) < len(handed.unreadable):
            missing.add(f"{len(handed.unreadable) - len(rejections)} unreadable events")
        return missing

    def check_order(self) -> None:
        """Within a key, first appearances are in the order of the stream."""
        index = {event["id"]: number for number, event in self.handed().changes.items()}
        orders: dict[bytes | None, list[int]] = defaultdict(list)
        seen: set[str] = set()
        for record in self.records():
            if record.event_id not in seen:
                seen.add(record.event_id)
                # One that was handed out after the ledger was read has no index yet.
                orders[record.key].append(index.get(record.event_id, sys.maxsize))
        for key, order in orders.items():
            assert order == sorted(order), key

    def duplicates(self) -> int:
        counts = Counter(record.event_id for record in self.records())
        return sum(counts.values()) - len(counts)

    def close(self) -> None:
        for process in (self.producer, self.stream):
            if process is not None:
                process.kill()


@contextmanager
def running(
    folder: Path, bootstrap_servers: str, topic: str, *, partitions: int = 1, wiki: str = WIKI
) -> Iterator[Flow]:
    flow = Flow(folder, bootstrap_servers, topic, partitions=partitions, wiki=wiki)
    try:
        yield flow
    finally:
        flow.close()
