"""How many events a second one core reads, filters and gets acknowledged, beside kafka-python alone.

Three figures of one run, over the same events (all kept): the producer as it is deployed, a bare loop of
kafka-python with the same options over the records that the producer makes, and the cost of the decision
(JSON to record). The measured process is bound to one core; broker and stream run on the others. On a busy
machine the rate per second of the measured process's own CPU time says more than the one by the clock.
"""

import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
from kafka import TopicPartition

from benchmarks.command import end_as_by_ctrl_c, hand_over, parser_of
from benchmarks.figures import Figure, Goal
from harness.kafka import Broker
from harness.processes import Process, free_port, wait_until
from stream_simulator.catalogue import Catalogue
from stream_simulator.stream import Stream
from stream_simulator.timeline import Timeline
from wiki_producer import logs
from wiki_producer.kafka.client import connect_admin, connect_consumer, connect_producer
from wiki_producer.kafka.publisher import LAST_EVENT_ID
from wiki_producer.kafka.topic_creation import init_topics
from wiki_producer.relay.decide import Kept, decider
from wiki_producer.settings import Settings

GOAL_PER_SECOND = Goal(15_000, at_most=False)
GOAL_RATIO = Goal(0.6, at_most=False)
QUICK_EVENTS = 5_000
_TIMEOUT_SECONDS = 300


@dataclass(frozen=True)
class Rate:
    """Events per second of the clock, and per second of the process's CPU time."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Events:
    """The same events in three shapes: as the stream sends them, their data, and the records made of them."""

    messages: list[bytes]
    data: list[str]
    records: list[tuple[Kept, str]]


def make_events(number: int) -> Events:
    """Events of all wikis that a producer with WIKI_DOMAINS=* keeps."""
    stream = Stream(Catalogue(seed=1), Timeline(start=int(time.time() * 1000), rate=number))
    decide = decider(["*"])
    events = Events([], [], [])
    index = 0
    while len(events.data) < number:
        message = stream[index].message
        index += 1
        fields = dict(line.split(": ", 1) for line in message.splitlines() if ": " in line)
        decision = decide(fields["data"])
        if isinstance(decision, Kept):
            events.messages.append(message.encode())
            events.data.append(fields["data"])
            events.records.append((decision, fields["id"]))
    return events


def serve(messages: Sequence[bytes], port: int, started: Connection) -> None:
    """Hand `messages` to each request as fast as it reads, then stay silent; say when the first begins."""
    body = b":ok\n\n" + b"".join(messages)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            started.send(time.monotonic())
            self.wfile.write(body)
            threading.Event().wait(_TIMEOUT_SECONDS)

        def log_request(self, *_: object) -> None:
            pass

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


@contextmanager
def serving(messages: Sequence[bytes]) -> Iterator[tuple[str, Connection]]:
    """The address of a stream of `messages`, and where its beginning is told."""
    port = free_port()
    receiver, sender = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.Process(target=serve, args=(messages, port, sender), daemon=True)
    server.start()
    try:
        yield f"http://127.0.0.1:{port}/", receiver
    finally:
        server.kill()
        server.join()


def measure_producer(settings: Settings, messages: Sequence[bytes], core: int, folder: Path) -> Rate:
    """From the first byte of the stream to the last record in the topic."""
    port = free_port()
    with serving(messages) as (url, started), _counting(settings) as in_topic:
        env = _environment(settings) | {
            "WIKI_STREAM_URL": url,
            "WIKI_DOMAINS": "*",
            "METRICS_PORT": str(port),
            "BIND_ADDRESS": "127.0.0.1",
        }
        process = Process([sys.executable, "-m", "wiki_producer"], log=folder / "producer.log", env=env)
        try:
            os.sched_setaffinity(process.pid, {core})
            begin: float = started.recv()
            cpu_before = _cpu_seconds(process.pid)
            # Before them there is the heartbeat with which a topic begins.
            wait_until(lambda: in_topic() > len(messages), timeout=_TIMEOUT_SECONDS, what="all in the topic")
            wall = time.monotonic() - begin
            return Rate(len(messages) / wall, len(messages) / (_cpu_seconds(process.pid) - cpu_before))
        finally:
            process.terminate(30)


@contextmanager
def _counting(settings: Settings) -> Iterator[Callable[[], int]]:
    """A function that tells how many records the topic has; asking the broker leaves the producer alone."""
    partition = TopicPartition(settings.kafka_topic, 0)
    with connect_consumer(settings, 30_000) as consumer:
        yield lambda: int(consumer.end_offsets([partition])[partition])


def _cpu_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _bare_loop(
    settings: Settings, records: Sequence[tuple[Kept, str]], core: int, result: Connection
) -> None:
    os.sched_setaffinity(0, {core})
    producer = connect_producer(settings, 30_000)
    producer.partitions_for(settings.kafka_topic)
    begin, cpu_before = time.monotonic(), time.process_time()
    futures = [
        producer.send(
            settings.kafka_topic, record.value, record.key, [(LAST_EVENT_ID, last_event_id.encode())]
        )
        for record, last_event_id in records
    ]
    producer.flush()
    wall, cpu = time.monotonic() - begin, time.process_time() - cpu_before
    producer.close()
    if not all(future.succeeded() for future in futures):
        sys.exit("bench: a record failed")
    result.send(Rate(len(records) / wall, len(records) / cpu))


def measure_bare_loop(settings: Settings, records: Sequence[tuple[Kept, str]], core: int) -> Rate:
    """kafka-python alone, to the last acknowledgement."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=_bare_loop, args=(settings, records, core, sender))
    process.start()
    rate: Rate = receiver.recv()
    process.join()
    return rate


def measure_decision(data: Sequence[str]) -> float:
    """Microseconds that one event's decision takes: decode, validate, project, encode."""
    decide = decider(["*"])
    begin = time.process_time()
    for each in data:
        decide(each)
    return (time.process_time() - begin) / len(data) * 1e6


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "KAFKA_BOOTSTRAP_SERVERS": ",".join(settings.kafka_bootstrap_servers),
        "KAFKA_TOPIC": settings.kafka_topic,
    }


def figures(rows: Sequence[tuple[Rate, Rate]], decision_microseconds: float) -> list[Figure]:
    """Of the producer and the bare loop in each run."""
    producer, bare = zip(*rows, strict=True)
    return [
        Figure("producer", "events/s", tuple(rate.wall for rate in producer), GOAL_PER_SECOND),
        Figure("producer, by CPU time", "events/CPU s", tuple(rate.cpu for rate in producer)),
        Figure("kafka-python alone", "events/s", tuple(rate.wall for rate in bare)),
        Figure("kafka-python alone, by CPU time", "events/CPU s", tuple(rate.cpu for rate in bare)),
        Figure(
            "producer : kafka-python alone",
            "ratio",
            tuple(ours.wall / other.wall for ours, other in rows),
            GOAL_RATIO,
        ),
        Figure("the same, by CPU time", "ratio", tuple(ours.cpu / other.cpu for ours, other in rows)),
        Figure("decision on an event", "µs", (decision_microseconds,)),
    ]


def main() -> int:
    parser = parser_of("producer", __doc__)
    parser.add_argument("--events", type=int, default=60_000, help="events per run (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="each with both (default: %(default)s)")
    arguments = parser.parse_args()
    number, runs = (QUICK_EVENTS, 1) if arguments.quick else (arguments.events, arguments.runs)
    logs.configure(Settings(log_level="WARNING"))
    end_as_by_ctrl_c()
    cores = sorted(os.sched_getaffinity(0))
    measured, others = cores[0], set(cores[1:]) or {cores[0]}
    os.sched_setaffinity(0, others)
    print(f"{number} events, {runs} runs; {len(cores)} cores", flush=True)
    events = make_events(number)
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder))
        try:
            rows = [_run(broker, events, f"bench-{run}", measured, Path(folder)) for run in range(runs)]
        finally:
            broker.close()
    hand_over("producer", figures(rows, measure_decision(events.data)), arguments.json)
    return 0


def _run(broker: Broker, events: Events, topic: str, core: int, folder: Path) -> tuple[Rate, Rate]:
    rates = []
    for suffix in ("bare", "producer"):
        settings = Settings(
            kafka_bootstrap_servers=(broker.bootstrap_servers,), kafka_topic=f"{topic}-{suffix}"
        )
        admin = connect_admin(settings, 30_000)
        init_topics(admin, settings)
        admin.close()
        if suffix == "bare":
            rates.append(measure_bare_loop(settings, events.records, core))
        else:
            rates.append(measure_producer(settings, events.messages, core, folder))
    bare, producer = rates
    for name, rate in (("producer", producer), ("bare loop", bare)):
        print(f"{topic} {name}: {rate.wall:,.0f}/s, {rate.cpu:,.0f} per CPU second", flush=True)
    return producer, bare


if __name__ == "__main__":
    sys.exit(main())
