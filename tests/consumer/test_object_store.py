"""The consumer as a process, with a real broker, on a store that speaks S3: stops, kills, one that slept."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from consumer import topics
from consumer.running import TIMEOUT, Consumer
from consumer.topics import event
from harness.kafka import Broker
from harness.object_store import ObjectStore, object_store
from harness.processes import wait_until
from wiki_common.store import place
from wiki_common.store.objects import ObjectPath
from wiki_consumer.volume.raw_files import list_raw_files, read_rows

pytestmark = pytest.mark.timeout(1500)
EACH = 50


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    with object_store(tmp_path_factory.mktemp("store") / "log") as started:
        yield started


@pytest.fixture
def data(store: ObjectStore, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ObjectPath:
    for name, value in store.environment().items():
        monkeypatch.setenv(name, value)
    place.object_path.cache_clear()
    return store.path(request.node.name)


@pytest.fixture
def ending() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def topic(broker: Broker, new_topic_name: Callable[[], str]) -> str:
    name = new_topic_name()
    topics.create(broker.bootstrap_servers, name)
    return name


@pytest.fixture
def writer(broker: Broker, topic: str, ending: ExitStack) -> topics.Writer:
    made = topics.Writer(broker.bootstrap_servers, topic)
    ending.callback(made.close)
    return made


@pytest.fixture
def new_consumer(
    broker: Broker, topic: str, tmp_path: Path, data: ObjectPath, store: ObjectStore, ending: ExitStack
) -> Callable[[str], Consumer]:
    def made(name: str) -> Consumer:
        consumer = Consumer(
            tmp_path / name,
            broker.bootstrap_servers,
            topic,
            MAX_OFFSETS_PER_TRIGGER="20",
            DATA_DIR=str(data),
            **store.environment(),
        )
        ending.callback(consumer.close)
        return consumer

    return made


def committed(data: ObjectPath) -> Counter[str]:
    """How often each event_id is in the files in `changes`."""
    changes = data / "changes"
    return Counter(
        event_id
        for raw in list_raw_files(changes)
        for event_id in read_rows(changes / raw.name)["event_id"].to_pylist()
    )


def events(turn: int) -> range:
    return range(turn * EACH, (turn + 1) * EACH)


def wait_for(data: ObjectPath, numbers: range, log: Consumer) -> None:
    expected = {f"event-{number}" for number in range(numbers.stop)}
    wait_until(
        lambda: committed(data).keys() >= expected, timeout=TIMEOUT, what=f"all ids\n{log.output()}", every=1
    )


@pytest.mark.slow
def test_every_change_is_written_once_across_a_stop_a_kill_and_one_that_slept(
    data: ObjectPath, writer: topics.Writer, new_consumer: Callable[[str], Consumer]
) -> None:
    first, second = new_consumer("first"), new_consumer("second")
    process = first.start()
    writer.write(event(number) for number in events(0))
    wait_for(data, events(0), first)
    assert process.terminate(60) == 0

    first.start()
    writer.write(event(number) for number in (*events(1), *events(0)))
    wait_for(data, events(1), first)
    first.kill_python_alone()

    # The lease of the one that was killed has to end first.
    process = second.start()
    second.wait_for_line("waiting for another writer to end")
    writer.write(event(number) for number in events(2))
    wait_for(data, events(2), second)

    # One that sleeps loses its lease; when it wakes, it ends.
    os.killpg(process.pid, signal.SIGSTOP)
    first.start()
    writer.write(event(number) for number in events(3))
    wait_for(data, events(3), first)
    os.killpg(process.pid, signal.SIGCONT)
    second.wait_for_line("the lease of the volume is lost")
    assert process.wait(30) == 1

    assert first.process is not None
    assert first.process.terminate(60) == 0
    assert committed(data) == {f"event-{number}": 1 for number in range(events(3).stop)}
    assert list((data / "changes").all_below())
    assert "Traceback" not in first.output() + second.output()
    assert "a-secret-of-tests" not in first.output() + second.output()
