"""The consumer as a process, with a real broker, on a store that speaks S3: stops, kills, one that slept."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from consumer import topics
from consumer.running import TIMEOUT, Consumer
from consumer.test_kills import load
from consumer.topics import event
from harness.kafka import Broker
from harness.object_store import ObjectStore
from harness.processes import wait_until
from harness.store_proxy import CUT, LOST, REFUSED, SLOW, store_proxy
from wiki_common.store.objects import ObjectPath
from wiki_common.volume import RawFile
from wiki_consumer.volume.folders import ConsumerVolume
from wiki_consumer.volume.raw_files import list_raw_files, read_rows

pytestmark = pytest.mark.timeout(1500)
EACH = 50
KILLS = 4
"""After each the lease has to end."""


@pytest.fixture
def topic(broker: Broker, new_topic_name: Callable[[], str]) -> str:
    name = new_topic_name()
    topics.create(broker.bootstrap_servers, name)
    return name


@pytest.fixture
def new_consumer(
    broker: Broker, topic: str, tmp_path: Path, s3_folder: ObjectPath, s3: ObjectStore, ending: ExitStack
) -> Callable[[str], Consumer]:
    def made(name: str) -> Consumer:
        consumer = Consumer(
            tmp_path / name,
            broker.bootstrap_servers,
            topic,
            MAX_OFFSETS_PER_TRIGGER="20",
            DATA_DIR=str(s3_folder),
            **s3.environment(),
        )
        ending.callback(consumer.close)
        return consumer

    return made


def committed(data: ObjectPath) -> Counter[str]:
    """How often each event_id is in the files in `changes`."""
    changes = data / "changes"
    return Counter(each for raw in list_raw_files(changes) for each in ids_in(changes / raw.name))


def ids_in(file: ObjectPath) -> list[str]:
    ids: list[str] = read_rows(file, ["event_id"])["event_id"].to_pylist()
    return ids


def events(turn: int) -> range:
    return range(turn * EACH, (turn + 1) * EACH)


def wait_for(data: ObjectPath, numbers: range, log: Consumer) -> None:
    expected = {f"event-{number}" for number in range(numbers.stop)}
    wait_until(
        lambda: committed(data).keys() >= expected, timeout=TIMEOUT, what=f"all ids\n{log.output()}", every=1
    )


@pytest.mark.slow
def test_every_change_is_written_once_across_a_stop_a_kill_and_one_that_slept(
    s3_folder: ObjectPath, writer: topics.Writer, new_consumer: Callable[[str], Consumer]
) -> None:
    first, second = new_consumer("first"), new_consumer("second")
    process = first.start()
    writer.write(event(number) for number in events(0))
    wait_for(s3_folder, events(0), first)
    assert process.terminate(60) == 0

    first.start()
    writer.write(event(number) for number in (*events(1), *events(0)))
    wait_for(s3_folder, events(1), first)
    first.kill_python_alone()

    # The lease of the one that was killed has to end first.
    process = second.start()
    second.wait_for_line("waiting for another writer to end")
    writer.write(event(number) for number in events(2))
    wait_for(s3_folder, events(2), second)

    # One that sleeps loses its lease; when it wakes, it ends.
    os.killpg(process.pid, signal.SIGSTOP)
    first.start()
    writer.write(event(number) for number in events(3))
    wait_for(s3_folder, events(3), first)
    os.killpg(process.pid, signal.SIGCONT)
    second.wait_for_line("the lease of the volume is lost")
    assert process.wait(30) == 1

    assert first.process is not None
    assert first.process.terminate(60) == 0
    assert committed(s3_folder) == {f"event-{number}": 1 for number in range(events(3).stop)}
    assert list((s3_folder / "changes").all_below())
    assert "Traceback" not in first.output() + second.output()
    assert "a-secret-of-tests" not in first.output() + second.output()


def wait_for_all(data: ObjectPath, expected: set[str], log: Consumer) -> None:
    """Each file is read once: no file changes."""
    missing, read = set(expected), set[RawFile]()

    def all_are_there() -> bool:
        for raw in set(list_raw_files(data / "changes")) - read:
            missing.difference_update(ids_in(data / "changes" / raw.name))
            read.add(raw)
        return not missing

    wait_until(all_are_there, timeout=TIMEOUT, what=f"all ids\n{log.output()[-3000:]}", every=1)


def has_more_files(data: ObjectPath, files: int) -> bool:
    return len(list_raw_files(data / "changes")) > files


def what_a_reader_sees(data: ObjectPath) -> Counter[str]:
    """History before its end, and changes from there on."""
    volume = ConsumerVolume(data)
    end = volume.history_end()
    seen = Counter(event_id for file in volume.hour_files().values() for event_id in ids_in(file))
    for raw in list_raw_files(volume.changes):
        rows = read_rows(volume.changes / raw.name, ["event_id", "event_time"]).to_pylist()
        seen.update(row["event_id"] for row in rows if end is None or row["event_time"] >= end)
    return seen


@pytest.mark.slow
def test_kills_and_a_store_that_fails_lose_and_double_nothing(
    broker: Broker, topic: str, tmp_path: Path, s3: ObjectStore, s3_folder: ObjectPath, seed: int
) -> None:
    """Hours are closed meanwhile."""
    moments = random.Random(seed)
    with store_proxy(s3.endpoint, seed) as proxy:
        consumer = Consumer(
            tmp_path,
            broker.bootstrap_servers,
            topic,
            module="consumer.fast_hours",
            MAX_EVENT_AGE="24h",
            DATA_DIR=str(s3_folder),
            **(s3.environment() | {"AWS_ENDPOINT_URL": proxy.endpoint}),
        )
        proxy.faults = {SLOW: 0.01, REFUSED: 0.02, CUT: 0.02, LOST: 0.02}
        try:
            with load(broker.bootstrap_servers, topic, seed) as running:
                for _ in range(KILLS):
                    before = len(list_raw_files(s3_folder / "changes"))
                    process = consumer.start()
                    consumer.wait_for_line("query started")
                    # Most kills hit a batch, some the recovery of the last.
                    if moments.random() < 0.7:
                        wait_until(
                            partial(has_more_files, s3_folder, before),
                            timeout=TIMEOUT,
                            what="a batch",
                            every=0.5,
                        )
                    time.sleep(moments.uniform(0, 3))
                    if moments.random() < 0.5:
                        consumer.kill_python_alone()
                    else:
                        process.kill()
            process = consumer.start()
            expected = {f"event-{number}" for number in range(running.written)}
            wait_for_all(s3_folder, expected, consumer)
            assert process.terminate(60) == 0
        finally:
            consumer.close()
        assert min(proxy.befell[fault] for fault in (REFUSED, CUT, LOST)) > 0
    assert committed(s3_folder) == dict.fromkeys(expected, 1)
    assert what_a_reader_sees(s3_folder) == dict.fromkeys(expected, 1)
    assert ConsumerVolume(s3_folder).hours()
