"""Consumer and page as drivers on a real cluster of Spark's, whose parts are killed while records come."""

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path

import psutil
import pytest

from consumer import topics
from consumer.load import load
from consumer.running import TIMEOUT, Consumer, committed_ids, kills, last_batch
from consumer.topics import event
from harness.kafka import Broker
from harness.object_store import LOGIN
from harness.processes import wait_until
from harness.spark_cluster import SHORT_LIVED, SparkCluster, fetched
from harness.store_proxy import StoreProxy
from web.browser.running_web import RunningWeb
from wiki_common.store.objects import ObjectPath

PARTITIONS = 12
PARTS = 3
"""Of the state: as many as the consumer takes cores."""
AS_THEY_HAPPEN = {"first": 0.0, "step": 0.01}
FAULTS = 3
"""One of each kind."""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    """Its workers have the login of the store."""
    with closing(SparkCluster(tmp_path_factory.mktemp("cluster"), java=SHORT_LIVED | LOGIN)) as started:
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
    broker: Broker,
    topic: str,
    cluster: SparkCluster,
    consumers: Consumers,
    another_secret: dict[str, str],
    seed: int,
) -> None:
    """A worker, the master, the worker that had taken over, the driver.

    The state keeps its parts until a reset gives it as many as the consumer now takes cores.
    """
    stranger = consumers("stranger", **another_secret)
    refused = stranger.start()
    consumer = consumers()
    process = consumer.start()
    with load(broker.bootstrap_servers, topic, seed, **AS_THEY_HAPPEN) as running:
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
    consumer.run_module("wiki_consumer.checkpoint", "--reset")
    process = consumer.start()
    consumer.wait_until_healthy()
    assert process.terminate(60) == 0
    assert committed_ids(consumer.data) == dict.fromkeys(running.ids, 1)
    assert parts_of_state(consumer.data) == PARTS + 2
    assert refused.wait(60) == 1
    assert f"SPARK_MASTER={cluster.settings['SPARK_MASTER']}: takes no driver" in stranger.output()
    assert "Traceback" not in consumer.output() + stranger.output()


class Unrest:
    """What befalls cluster, driver and store at moments that `chance` chooses."""

    def __init__(
        self,
        cluster: SparkCluster,
        consumer: Consumer[ObjectPath],
        store: StoreProxy,
        chance: random.Random,
    ) -> None:
        self._cluster = cluster
        self._consumer = consumer
        self._store = store
        self._chance = chance

    def strike(self, times: int) -> None:
        """With each kind about as often, in random order. The consumer runs and commits in the end."""
        kinds = ([self._kill_a_worker, self._kill_the_driver, self._let_the_store_fail] * times)[:times]
        self._chance.shuffle(kinds)
        for kind in kinds:
            # Most meet a batch, some the recovery from the one before.
            if self._chance.random() < 0.7:
                self._wait_for_a_batch()
            time.sleep(self._chance.uniform(0, 5))
            print(f"{time.strftime('%X')} {kind.__name__}")  # noqa: T201 - shown when the test fails
            kind()
        self._wait_for_a_batch()
        self._cluster.wait_for_workers(len(self._cluster.workers))

    def _wait_for_a_batch(self) -> None:
        before = last_batch(self._consumer.data)

        def is_later() -> bool:
            self._consumer.revive()
            return last_batch(self._consumer.data) != before

        wait_until(is_later, timeout=TIMEOUT, what=f"a batch after {before}", every=0.5)

    def _kill_a_worker(self) -> None:
        number = self._chance.randrange(len(self._cluster.workers))
        self._cluster.workers[number].kill()
        time.sleep(self._chance.uniform(0, 5))
        self._cluster.restart_worker(number)

    def _kill_the_driver(self) -> None:
        self._consumer.revive()
        if self._chance.random() < 0.3:
            self._consumer.kill_python_alone()
        else:
            self._consumer.close()

    def _let_the_store_fail(self) -> None:
        with self._store.outage():
            time.sleep(self._chance.uniform(1, 10))


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_random_kills_and_a_store_that_fails_lose_and_double_nothing(
    broker: Broker,
    topic: str,
    cluster: SparkCluster,
    tmp_path: Path,
    s3_folder: ObjectPath,
    failing_s3: StoreProxy,
    seed: int,
) -> None:
    """Workers and the driver are killed, the store has outages, and single requests fail all the time."""
    settings = {
        **cluster.settings,
        "SPARK_CORES_MAX": str(PARTS),
        "AWS_ENDPOINT_URL": failing_s3.endpoint,
        "MAX_EVENT_AGE": "24h",
    }
    with closing(Consumer(tmp_path, broker.bootstrap_servers, topic, s3_folder, **settings)) as consumer:
        with load(broker.bootstrap_servers, topic, seed, **AS_THEY_HAPPEN) as running:
            Unrest(cluster, consumer, failing_s3, random.Random(seed)).strike(kills(FAULTS))
        consumer.wait_for_ids(running.ids)
        assert consumer.process is not None
        assert consumer.process.terminate(60) == 0
    assert committed_ids(s3_folder) == dict.fromkeys(running.ids, 1)
    parts = (s3_folder / "checkpoints/changes/state/0").folders()
    assert len([part for part in parts if part.isdecimal()]) == PARTS
    assert "Traceback" not in consumer.output()


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
        for events in (range(1000), range(1000, 1500)):
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
    for secret in (cluster.secret, *LOGIN.values()):
        assert [text for text in shown if secret in text] == []
    assert any("wiki-consumer" in text for text in shown)
    stranger = cluster.start_worker(2, **another_secret)
    try:
        wait_until(
            lambda: "Failed to connect to master" in stranger.output(), timeout=60, what="it is refused"
        )
        assert cluster.state()["aliveworkers"] == 2
    finally:
        stranger.kill()
