"""The consumer as a process, with a real broker."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from consumer import topics
from consumer.running import TIMEOUT, Consumer, committed_ids
from consumer.topics import event
from harness.kafka import Broker
from harness.processes import free_port, wait_until
from wiki_common.store.place import Place
from wiki_common.volume import BatchId
from wiki_consumer.volume.raw_files import list_raw_files

# Several JVMs one after the other, on a machine that may have little to spare.
pytestmark = pytest.mark.timeout(1500)


@pytest.fixture
def topic(broker: Broker, new_topic_name: Callable[[], str]) -> str:
    name = new_topic_name()
    topics.create(broker.bootstrap_servers, name, partitions=2)
    return name


def ids(*numbers: int) -> set[str]:
    return {f"event-{number}" for number in numbers}


def counts(consumer: Consumer[Place]) -> dict[str, float]:
    return {
        sample.name.removeprefix("wiki_consumer_").removesuffix("_total"): sample.value
        for family in text_string_to_metric_families(consumer.get("/metrics"))
        for sample in family.samples
        if sample.name.endswith("_total")
    }


def batches(data: Place) -> list[BatchId]:
    """Of all files in `changes`, each once."""
    return sorted({raw.batch for raw in list_raw_files(data / "changes")})


def test_every_change_is_written_once_across_rubbish_stops_and_a_reset(
    broker: Broker, topic: str, writer: topics.Writer, tmp_path: Path, data: Place, ending: ExitStack
) -> None:
    consumer = Consumer(tmp_path, broker.bootstrap_servers, topic, data, MAX_OFFSETS_PER_TRIGGER="60")
    ending.callback(consumer.close)
    now = time.time()
    writer.write([event(number) for number in range(100)])
    writer.write([event(7), event(8), event(300, at=now - 3600), event(301, at=now + 365 * 86_400)])
    writer.write([None, b"{", b"\xff", event(302, title=None), event(303, length="long", id=[])])
    expected = ids(*range(100), 303)

    process = consumer.start()
    consumer.wait_until_healthy()
    consumer.wait_for_ids(expected)
    wait_until(lambda: counts(consumer)["records"] == 109, timeout=60, what="all records counted")
    told = counts(consumer)
    assert (told["rows"], told["duplicates"], told["late"], told["future"]) == (101, 2, 1, 1)
    assert (told["malformed"], told["incomplete"]) == (4, 1)
    assert "malformed records" in consumer.output()
    assert "records dropped" in consumer.output()
    first = batches(consumer.data)
    assert [batch.number for batch in first] == list(range(len(first)))
    refused = consumer.run_module("wiki_consumer.checkpoint", "--reset")
    assert refused.returncode == 1
    assert "the consumer is running" in refused.output()
    assert process.terminate(60) == 0

    writer.write([event(number) for number in range(90, 120)])
    reset = consumer.run_module("wiki_consumer.checkpoint", "--reset")
    assert reset.returncode == 0
    assert "To undo" in reset.output()
    process = consumer.start()
    expected |= ids(*range(100, 120))
    consumer.wait_for_ids(expected)
    anew = batches(consumer.data)[len(first) :]
    assert anew[0].number == 0
    assert anew[0].epoch > first[0].epoch
    consumer.wait_until_healthy()
    writer.write([event(number) for number in range(115, 130)])
    expected |= ids(*range(120, 130))
    consumer.wait_for_ids(expected)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(60) == 0

    assert committed_ids(consumer.data) == dict.fromkeys(expected, 1)
    assert "Traceback" not in consumer.output()


def test_a_missing_topic_is_named_until_it_is_there_and_a_jvm_that_dies_ends_it(
    broker: Broker, new_topic_name: Callable[[], str], tmp_path: Path, ending: ExitStack
) -> None:
    topic = new_topic_name()
    consumer = Consumer(tmp_path, broker.bootstrap_servers, topic)
    ending.callback(consumer.close)
    process = consumer.start()
    consumer.wait_for_line("no such topic")
    assert f"KAFKA_TOPIC={topic}: no such topic" in consumer.health()[1]
    topics.create(broker.bootstrap_servers, topic)
    consumer.wait_until_healthy()
    consumer.kill_jvm()
    assert process.wait(60) == 1
    assert "Spark's JVM has ended" in consumer.output()
    assert "Traceback" not in consumer.output()


def test_an_unreachable_broker_is_one_line_and_a_stop_ends_the_wait(
    tmp_path: Path, ending: ExitStack
) -> None:
    servers = f"127.0.0.1:{free_port()}"
    consumer = Consumer(tmp_path, servers, "wiki-changes")
    ending.callback(consumer.close)
    process = consumer.start()
    consumer.wait_for_line(f"KAFKA_BOOTSTRAP_SERVERS={servers}: no answer")
    assert process.terminate(60) == 0
    assert "Traceback" not in consumer.output()


def test_a_stop_before_spark_is_up_is_no_error(tmp_path: Path, ending: ExitStack) -> None:
    consumer = Consumer(tmp_path, "127.0.0.1:1", "wiki-changes")
    ending.callback(consumer.close)
    process = consumer.start()
    wait_until(
        lambda: consumer.health()[1].startswith("starting"), timeout=120, what="the status server answers"
    )
    assert process.terminate(60) == 0
    assert "Traceback" not in consumer.output()


def test_a_maintenance_that_fails_ends_the_process_with_the_reason(
    broker: Broker, topic: str, tmp_path: Path, ending: ExitStack
) -> None:
    consumer = Consumer(tmp_path, broker.bootstrap_servers, topic, module="consumer.failing_maintenance")
    ending.callback(consumer.close)
    assert consumer.start().wait(TIMEOUT) == 1
    assert "the maintenance failed: KeyError('unexpected')" in consumer.output()


@pytest.mark.slow
def test_a_topic_made_again_asks_for_a_decision(
    broker: Broker, topic: str, writer: topics.Writer, tmp_path: Path, ending: ExitStack
) -> None:
    consumer = Consumer(tmp_path, broker.bootstrap_servers, topic)
    ending.callback(consumer.close)
    writer.write([event(number) for number in range(20)])
    process = consumer.start()
    consumer.wait_for_ids(ids(*range(20)))
    assert process.terminate(60) == 0
    topics.delete(broker.bootstrap_servers, topic)
    topics.create(broker.bootstrap_servers, topic)
    assert consumer.start().wait(TIMEOUT) == 1
    assert "it was deleted and made again" in consumer.output()
    assert "wiki_consumer.checkpoint --reset" in consumer.output()
    assert committed_ids(consumer.data).keys() == ids(*range(20))
