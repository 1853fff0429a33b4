"""docs/operations.md: partitions are added while the producer runs."""

from collections.abc import Callable
from pathlib import Path

from harness.kafka import Broker
from harness.processes import wait_until
from producer.flow import TIMEOUT, running
from producer.topics import make_topics, settings_for


def test_partitions_that_are_added_lose_nothing_and_are_written_to_after_a_restart(
    tmp_path: Path, broker: Broker, new_topic_name: Callable[[], str]
) -> None:
    topic, servers = new_topic_name(), broker.bootstrap_servers
    with running(tmp_path, servers, topic, wiki="*") as flow:
        producer = flow.start(rate=100, events=10**9)
        wait_until(lambda: len(flow.records()) > 100, timeout=TIMEOUT, what="changes in the topic")
        make_topics(settings_for(servers, topic, kafka_topic_partitions=3))
        before = flow.metric("records_acknowledged_total")
        wait_until(
            lambda: flow.metric("records_acknowledged_total") > before + 100,
            timeout=TIMEOUT,
            what="it goes on",
        )
        flow.await_handed()
        assert producer.terminate(60) == 0
        flow.start_producer()
        wait_until(
            lambda: {record.partition for record in flow.records()} == {0, 1, 2},
            timeout=TIMEOUT,
            what="changes in each partition",
        )
        flow.await_handed()
