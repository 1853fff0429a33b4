"""topic_init as a process against a real broker, and without one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from harness.kafka import Broker
from harness.processes import Process, free_port
from wiki_producer.kafka import topic_creation
from wiki_producer.settings import Settings


def topic_init(bootstrap_servers: str, topic: str, **env: str) -> subprocess.CompletedProcess[str]:
    variables = {"KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers, "KAFKA_TOPIC": topic, **env}
    return subprocess.run(
        [sys.executable, "-m", "wiki_producer.topic_init"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def topic_init_process(bootstrap_servers: str, topic: str, log: Path) -> Process:
    """It goes on beside the test."""
    variables = {"KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers, "KAFKA_TOPIC": topic}
    return Process([sys.executable, "-m", "wiki_producer.topic_init"], log=log, env=variables)


def described(broker: Broker, topic: str) -> tuple[int, int]:
    """Number of partitions, and retention in hours."""
    with KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers) as admin:
        [found] = admin.describe_topics([topic])
        config = admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic)], config_filter="all"
        )
        [values] = [topics[topic] for topics in config.values()]
        return len(found["partitions"]), int(values["retention.ms"]["value"]) // 3_600_000


def test_topics_are_made_kept_grown_and_never_shrunk(
    broker: Broker, new_topic_name: Callable[[], str]
) -> None:
    topic = new_topic_name()
    made = topic_init(broker.bootstrap_servers, topic, KAFKA_TOPIC_RETENTION_HOURS="5")
    assert made.returncode == 0, made.stdout
    assert described(broker, topic) == (1, 5)
    assert described(broker, f"{topic}.rejected") == (1, 5)

    again = topic_init(broker.bootstrap_servers, topic, KAFKA_TOPIC_RETENTION_HOURS="7")
    assert again.returncode == 0, again.stdout
    assert described(broker, topic) == (1, 7)
    assert described(broker, f"{topic}.rejected") == (1, 7)

    grown = topic_init(broker.bootstrap_servers, topic, KAFKA_TOPIC_PARTITIONS="3")
    assert grown.returncode == 0, grown.stdout
    assert described(broker, topic) == (3, 24)

    fewer = topic_init(broker.bootstrap_servers, topic, KAFKA_TOPIC_PARTITIONS="2")
    assert fewer.returncode == 1
    assert f"KAFKA_TOPIC_PARTITIONS=2: {topic} has 3 partitions" in fewer.stdout
    assert "Traceback" not in fewer.stdout + fewer.stderr
    assert described(broker, topic)[0] == 3


def test_a_setting_that_the_broker_does_not_take_is_told_by_its_answer(
    broker: Broker, new_topic_name: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when it has lost its ZooKeeper, and so knows of no setting."""
    monkeypatch.setattr(topic_creation, "RETENTION", "no.such.setting")
    settings = Settings(kafka_topic=new_topic_name())
    with (
        KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers) as admin,
        pytest.raises(topic_creation.TopicRefused, match=r"no\.such\.setting not set: "),
    ):
        topic_creation.init_topics(admin, settings)


def test_more_replicas_than_brokers_is_a_clear_error(
    broker: Broker, new_topic_name: Callable[[], str]
) -> None:
    refused = topic_init(broker.bootstrap_servers, new_topic_name(), KAFKA_TOPIC_REPLICATION_FACTOR="3")
    assert refused.returncode == 1
    assert "KAFKA_TOPIC_REPLICATION_FACTOR=3" in refused.stdout
    assert "Traceback" not in refused.stdout + refused.stderr


@pytest.mark.slow
def test_a_broker_that_has_lost_its_session_with_zookeeper_is_asked_again(tmp_path: Path) -> None:
    with closing(Broker(tmp_path)) as broker:
        os.kill(broker.zookeeper_pid, signal.SIGSTOP)
        try:
            making = topic_init_process(broker.bootstrap_servers, "changes", log=tmp_path / "topic-init.log")
            time.sleep(15)  # a session lasts six seconds
        finally:
            os.kill(broker.zookeeper_pid, signal.SIGCONT)
        assert making.wait(60) == 0, making.output()
        assert "topics not made yet" in making.output()
        assert described(broker, "changes") == described(broker, "changes.rejected") == (1, 24)


def test_an_unreachable_broker_is_waited_for_and_then_named() -> None:
    server = f"127.0.0.1:{free_port()}"
    begin = time.monotonic()
    ended = topic_init(server, "changes", KAFKA_CONNECT_TIMEOUT="2s")
    assert time.monotonic() - begin >= 2
    assert ended.returncode == 1
    assert f"no Kafka broker answers at KAFKA_BOOTSTRAP_SERVERS={server}" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [("KAFKA_TOPIC_PARTITIONS", "zero"), ("KAFKA_TOPIC_RETENTION_HOURS", "0"), ("KAFKA_TOPIC", "a b")],
)
def test_a_wrong_setting_is_one_line(variable: str, value: str) -> None:
    ended = topic_init("127.0.0.1:9", "changes", **{variable: value})
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"{variable}={value}: ")
    assert ended.stderr.count("\n") == 1
