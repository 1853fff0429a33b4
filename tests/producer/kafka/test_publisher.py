"""What becomes of records that the broker refuses."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from harness.kafka import Broker
from harness.processes import wait_until
from producer.flow import Flow, running
from producer.topics import TopicReader


@pytest.fixture
def topic(new_topic_name: Callable[[], str]) -> str:
    return new_topic_name()


@pytest.fixture
def flow(tmp_path: Path, broker: Broker, topic: str) -> Iterator[Flow]:
    with running(tmp_path, broker.bootstrap_servers, topic) as flow:
        yield flow


def configure(broker: Broker, topic: str, **values: str) -> None:
    configs = {name.replace("_", "."): value for name, value in values.items()}
    with KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs)])


def test_a_record_that_fails_for_good_ends_the_process_and_the_next_start_publishes_it(
    flow: Flow, broker: Broker, topic: str
) -> None:
    producer = flow.start(rate=100, events=10**9)
    wait_until(
        lambda: flow.metric("records_acknowledged_total") > 20, timeout=60, what="records acknowledged"
    )
    # The broker refuses any record that took longer than this to arrive.
    configure(broker, topic, message_timestamp_before_max_ms="1")
    assert producer.wait(60) == 1
    assert f"topic {topic} partition 0: " in producer.output()
    assert "The timestamp should be within" in producer.output()
    assert "Traceback" not in producer.output()

    configure(broker, topic, message_timestamp_before_max_ms=str(2**63 - 1))
    flow.start_producer()
    flow.await_handed()
    assert flow.stream is not None
    flow.stream.kill()
    flow.check_order()


def test_a_change_over_the_topics_own_limit_is_rejected_and_the_rest_goes_on(
    flow: Flow, broker: Broker, topic: str
) -> None:
    configure(broker, topic, max_message_bytes="4000")
    producer = flow.start(rate=300, events=1200, faults={"huge_every": 400})
    rejected = TopicReader(broker.bootstrap_servers, f"{topic}.rejected")
    wait_until(lambda: len(rejected.read()) == 3, timeout=60, what="3 huge changes rejected", every=0.5)
    for record in rejected.read():
        assert "bytes after projection, over 1412" in record.headers["reason"].decode()
        assert record.value.startswith(b'{"')
    huge = {event["id"] for event in flow.handed().changes.values() if event["kind"] == "huge"}
    wait_until(lambda: flow.missing() == huge, timeout=60, what="all others in the topic", every=0.5)
    assert producer.terminate(30) == 0
    assert {json.loads(record.value)["meta"]["id"] for record in flow.records()}.isdisjoint(huge)
