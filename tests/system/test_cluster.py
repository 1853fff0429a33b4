"""Consumer and page as drivers on a real cluster of Spark's, whose parts are killed while records come."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import Path

import psutil
import pytest

from consumer import topics
from consumer.running import Consumer, committed_ids
from consumer.topics import event
from harness.kafka import Broker
from harness.processes import wait_until
from harness.spark_cluster import SparkCluster, fetched
from web.browser.running_web import RunningWeb

PARTITIONS = 12
PARTS = 3
"""Of the state: as many as the consumer takes cores."""

pytestmark = pytest.mark.timeout(900)


class Load:
    """Writes new events, each tenth twice, until it is ended."""

    def __init__(self, servers: str, topic: str) -> None:
        self._writer = topics.Writer(servers, topic)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.written = 0
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(0.25):
            new = range(self.written, self.written + 50)
            self._writer.write([event(number) for number in (*new, *new[::10])])
            self.written = new.stop

    @property
    def ids(self) -> set[str]:
        return {f"event-{number}" for number in range(self.written)}

    def end(self) -> None:
        self._ended.set()
        self._thread.join()
        self._writer.close()


@contextmanager
def load(servers: str, topic: str) -> Iterator[Load]:
    running = Load(servers, topic)
    try:
        yield running
    finally:
        running.end()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    with closing(SparkCluster(tmp_path_factory.mktemp("cluster"))) as started:
        yield started


@pytest.fixture
def topic(broker: Broker, new_topic_name: Callable[[], str]) -> str:
    name = new_topic_name()
    topics.create(broker.bootstrap_servers, name, partitions=PARTITIONS)
    return name


Consumers = Callable[..., Consumer]


@pytest.fixture
def consumers(
    broker: Broker, topic: str, cluster: SparkCluster, tmp_path: Path, ending: ExitStack
) -> Consumers:
    """Makes consumers on one topic, of which those with the same `name` have one volume."""

    def make(name: str = "consumer", cores: int = PARTS, **settings: str) -> Consumer:
        made = Consumer(
            tmp_path / name,
            broker.bootstrap_servers,
            topic,
            **{**cluster.settings, "SPARK_CORES_MAX": str(cores), **settings},
        )
        ending.callback(made.close)
        return made

    return make


@pytest.fixture
def another_secret(tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "another-secret"
    file.write_text("another", encoding="utf-8")
    return {"SPARK_AUTHENTICATE_SECRET_FILE": str(file)}


def parts_of_state(data: Path) -> int:
    state = data / "checkpoints/changes/state/0"
    return len([part for part in state.iterdir() if part.name.isdecimal()])


@pytest.mark.slow
def test_what_is_killed_under_load_loses_and_doubles_nothing(
    broker: Broker, topic: str, cluster: SparkCluster, consumers: Consumers, another_secret: dict[str, str]
) -> None:
    """A worker, the master, the worker that had taken over, the driver."""
    stranger = consumers("stranger", **another_secret)
    refused = stranger.start()
    consumer = consumers()
    process = consumer.start()
    with load(broker.bootstrap_servers, topic) as running:
        consumer.wait_for_more_than(100)
        cluster.workers[0].kill()
        consumer.wait_for_line("Lost executor")
        consumer.wait_for_more_than(running.written)
        cluster.restart_worker(0)
        cluster.wait_for_workers(2)
        cluster.master.kill()
        cluster.start_master()
        cluster.wait_for_workers(2)
        # All executors are on this one: the master that has begun anew has to give the driver others.
        cluster.workers[1].kill()
        consumer.wait_for_more_than(running.written)
        cluster.restart_worker(1)
        process.kill()
        consumer = consumers(cores=PARTS + 2)
        process = consumer.start()
        consumer.wait_for_more_than(running.written)
    consumer.wait_for_ids(running.ids)
    assert process.terminate(60) == 0
    assert committed_ids(consumer.data) == dict.fromkeys(running.ids, 1)
    assert parts_of_state(consumer.data) == PARTS
    assert refused.wait(60) == 1
    assert f"SPARK_MASTER={cluster.settings['SPARK_MASTER']}: takes no driver" in stranger.output()
    assert "Traceback" not in consumer.output() + stranger.output()


@pytest.mark.slow
def test_a_reset_gives_the_state_as_many_parts_as_the_consumer_now_takes_cores(
    broker: Broker, topic: str, consumers: Consumers
) -> None:
    ids = {f"event-{number}" for number in range(300)}
    with closing(topics.Writer(broker.bootstrap_servers, topic)) as writer:
        writer.write([event(number) for number in range(300)])
    for cores in (PARTS, PARTS + 1):
        consumer = consumers(cores=cores)
        consumer.run_module("wiki_consumer.checkpoint", "--reset")
        process = consumer.start()
        consumer.wait_for_ids(ids)
        consumer.wait_until_healthy()
        assert process.terminate(60) == 0
        assert parts_of_state(consumer.data) == cores
    assert committed_ids(consumer.data) == dict.fromkeys(ids, 1)


@pytest.mark.slow
def test_a_page_on_the_cluster_answers_as_one_without_it(
    broker: Broker, topic: str, cluster: SparkCluster, consumers: Consumers, tmp_path: Path, ending: ExitStack
) -> None:
    consumer = consumers()
    consumer.start()
    data = consumer.data
    here = ending.enter_context(RunningWeb(tmp_path / "here", data_dir=data))
    there = ending.enter_context(
        RunningWeb(
            tmp_path / "there",
            data_dir=data,
            engine="spark",
            settings=cluster.settings | {"SPARK_CORES_MAX": "2"},
        )
    )
    with closing(topics.Writer(broker.bootstrap_servers, topic)) as writer:
        for events in (range(1000), range(1000, 1500), range(1500, 2000)):
            writer.write([event(number) for number in events])
            for page in (here, there):
                wait_until(partial(counts, page, events.stop), timeout=120, what=f"{events} is at {page.url}")
            cluster.workers[1].kill()
            cluster.restart_worker(1)
    path = "/api/v1/changes?window=2h&limit=500"
    wait_until(lambda: here.get(path) == there.get(path), timeout=10, what="equal answers")


def counts(page: RunningWeb, changes: int) -> bool:
    answer = page.get("/api/v1/top?window=2h")
    return answer is not None and json.loads(answer)["totals"]["changes"] == changes


def command_lines(pids: Iterable[int]) -> list[str]:
    """Of these processes and of all that they have started."""
    lines = []
    for pid in pids:
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):  # a child that has ended, also if nobody has waited for it
                lines.append(" ".join(process.cmdline()))
    return lines


@pytest.mark.slow
def test_the_secret_is_nowhere_to_be_seen_and_is_needed(
    cluster: SparkCluster, consumers: Consumers, another_secret: dict[str, str]
) -> None:
    consumer = consumers()
    consumer.start()
    consumer.wait_until_healthy()
    (app,) = cluster.state()["activeapps"]
    shown = [cluster.page(path) for path in ("/", "/json/", "/environment/", f"/app/?appId={app['id']}")]
    for page in cluster.pages_of_workers():
        shown += [fetched(page), fetched(f"{page}/json/")]
    assert consumer.process is not None
    started = (consumer.process, cluster.master, *cluster.workers)
    shown += command_lines(each.pid for each in started)
    shown += [each.output() for each in started]
    shown += [log.read_text(encoding="utf-8") for log in cluster.logs_of_executors()]
    assert [text for text in shown if cluster.secret in text] == []
    assert any("wiki-consumer" in text for text in shown)
    stranger = cluster.start_worker(2, **another_secret)
    try:
        wait_until(
            lambda: "Failed to connect to master" in stranger.output(), timeout=60, what="it is refused"
        )
        assert cluster.state()["aliveworkers"] == 2
    finally:
        stranger.kill()
