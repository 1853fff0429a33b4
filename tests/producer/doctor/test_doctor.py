"""The doctor as a process: a line per check, and what to do where one fails. Logins: tests/security."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType

from harness.doctor import doctor, problems
from harness.kafka import Broker
from harness.processes import free_port, wait_until
from producer.flow import Flow, running
from producer.topics import make_topics, settings_for
from wiki_common.doctor.finding import Level
from wiki_producer.doctor.stream import clock_finding
from wiki_producer.doctor.topics import newest_finding, topic_findings
from wiki_producer.kafka.probe import TopicAccess

PRODUCER = "wiki_producer"
NO_STREAM = {"WIKI_STREAM_URL": "http://127.0.0.1:1/"}


def configure(broker: Broker, topic: str, **values: str) -> None:
    """`retention_ms` is retention.ms."""
    given = {name.replace("_", "."): value for name, value in values.items()}
    with closing(KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, given)])


def of_topic(broker: Broker, topic: str, **env: str) -> list[str]:
    """The problems without the stream's, which isn't there."""
    env = {"KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers, "KAFKA_TOPIC": topic, **NO_STREAM, **env}
    return [line for line in problems(doctor(PRODUCER, **env)[1]) if not line.startswith("stream")]


@pytest.fixture(scope="module")
def flow(
    tmp_path_factory: pytest.TempPathFactory, broker: Broker, new_topic_name: Callable[[], str]
) -> Iterator[Flow]:
    """A stream that serves, and no producer."""
    folder, topic = tmp_path_factory.mktemp("flow"), new_topic_name()
    with running(folder, broker.bootstrap_servers, topic, partitions=2) as flow:
        flow.start_stream(rate=10, events=10**9)
        yield flow


def test_each_check_is_a_line(broker: Broker, flow: Flow) -> None:
    server, topic = broker.bootstrap_servers, flow.environment["KAFKA_TOPIC"]
    code, lines = doctor(PRODUCER, **flow.environment)
    assert (code, lines[:-1]) == (
        0,
        [
            "ok   producer settings: they fit together",
            f"ok   producer {server} name: 127.0.0.1",
            f"ok   producer {server} TCP: the port answers",
            f"ok   producer {server} TLS: not used (KAFKA_SECURITY_PROTOCOL)",
            f"ok   producer {server} login: none needed",
            f"ok   producer topic {topic}: may describe, write and read",
            f"ok   producer topic {topic} partitions: 2",
            f"ok   producer topic {topic}.rejected: may describe, write and read",
            f"ok   producer topic {topic}.rejected partitions: 1",
            f"ok   producer topic {topic} retention: 24h, of which a restart needs MAX_EVENT_AGE=30m",
            f"ok   producer topic {topic} records: none yet",
            f"ok   producer stream {flow.environment['WIKI_STREAM_URL']}: answers our User-Agent with events",
        ],
    )
    assert lines[-1].startswith("ok   producer stream clock: ours is ")


def test_for_machines_each_is_an_object(flow: Flow) -> None:
    code, lines = doctor(PRODUCER, "--json", **flow.environment, WIKI_USER_AGENT="nobody")
    found = [json.loads(line) for line in lines]
    assert {tuple(each) for each in found} == {("service", "check", "status", "detail")}
    assert {each["service"] for each in found} == {"producer"}
    [refused] = [each for each in found if each["status"] == "problem"]
    assert code == 1
    assert refused["check"].startswith("stream http")
    assert refused["detail"].startswith("HTTP 403: Set a User-Agent")
    assert refused["detail"].endswith(": set WIKI_USER_AGENT to your project and a contact")


def test_a_producer_that_should_run_is_asked(flow: Flow) -> None:
    code, lines = doctor(PRODUCER, "--running", **flow.environment)
    assert code == 1
    [gone] = problems(lines)
    assert gone.startswith("health: no answer on port ")
    producer = flow.start_producer()
    try:
        wait_until(lambda: flow.metric("heartbeats_sent_total") > 0, timeout=60, what="the topic has records")
        code, lines = doctor(PRODUCER, "--running", **flow.environment)
    finally:
        producer.kill()
    assert (code, problems(lines)) == (0, [])
    assert lines[-1].startswith("ok   producer health: ok; version ")
    assert any(" records: the newest is " in line for line in lines)


def test_what_is_missing_is_named_with_what_to_do(broker: Broker) -> None:
    port = free_port()
    servers = ("nobody.invalid:9092", f"127.0.0.1:{port}", broker.bootstrap_servers)
    url = f"http://127.0.0.1:{port}/"
    code, lines = doctor(
        PRODUCER,
        KAFKA_BOOTSTRAP_SERVERS=",".join(servers),
        KAFKA_TOPIC="nobody-made-this",
        WIKI_STREAM_URL=url,
    )
    assert code == 1
    for line, (begin, end) in zip(
        problems(lines),
        [
            ("nobody.invalid:9092 name: ", "check the host in KAFKA_BOOTSTRAP_SERVERS and the DNS"),
            (f"127.0.0.1:{port} TCP: Connection refused: ", "the security group and the network"),
            ("topic nobody-made-this: it does not exist: ", "run topic-init, which makes it"),
            ("topic nobody-made-this.rejected: it does not exist: ", "run topic-init, which makes it"),
            (f"stream {url}: Cannot connect", "check WIKI_STREAM_URL and the way out to it"),
        ],
        strict=True,
    ):
        assert line.startswith(begin)
        assert line.endswith(end)


def test_wrong_settings_are_a_line_each() -> None:
    code, lines = doctor(PRODUCER, MAX_EVENT_AGE="soon", KAFKA_TOPIC="a b")
    assert code == 2
    assert [line.split(": ")[:2] for line in lines] == [
        ["FAIL producer settings", "MAX_EVENT_AGE=soon"],
        ["FAIL producer settings", "KAFKA_TOPIC=a b"],
    ]


def test_something_else_at_the_brokers_port_is_told(new_topic_name: Callable[[], str]) -> None:
    """It takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = f"127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        code, lines = doctor(PRODUCER, KAFKA_BOOTSTRAP_SERVERS=server, **NO_STREAM)
    assert code == 1
    assert problems(lines)[0].startswith(f"{server} login: timed out: see the broker's log")
    assert "note producer topics: not looked at, since no broker lets us in" in lines
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("configured", "says"),
    [
        (
            {"retention_ms": "600000"},
            "retention: records are kept for 10m, less than MAX_EVENT_AGE=30m: raise",
        ),
        ({"cleanup_policy": "compact"}, "retention: cleanup.policy=compact: of the changes of a title only"),
        (
            {"message_timestamp_type": "LogAppendTime"},
            "time: message.timestamp.type=LogAppendTime: records have the broker's time",
        ),
    ],
)
def test_a_topic_that_keeps_too_little_or_has_another_time_is_told(
    broker: Broker, new_topic_name: Callable[[], str], configured: dict[str, str], says: str
) -> None:
    topic = new_topic_name()
    make_topics(settings_for(broker.bootstrap_servers, topic))
    assert of_topic(broker, topic) == []
    configure(broker, topic, **configured)
    [line] = of_topic(broker, topic)
    assert line.startswith(f"topic {topic} {says}")


def test_a_topic_that_is_ahead_of_our_clock_shows_a_wrong_one(
    broker: Broker, new_topic_name: Callable[[], str]
) -> None:
    topic = new_topic_name()
    make_topics(settings_for(broker.bootstrap_servers, topic))
    with closing(KafkaProducer(bootstrap_servers=broker.bootstrap_servers)) as producer:
        producer.send(topic, b"{}", timestamp_ms=int(time.time() + 600) * 1000).get(60)
    [line] = of_topic(broker, topic)
    assert line.startswith(f"topic {topic} records: the newest is 5")
    assert line.endswith("s ahead of our clock: set ours by a time server")


@pytest.mark.parametrize(
    ("age", "level", "says"),
    [
        (0.5, Level.OK, "the newest is 0 s old"),
        (1700, Level.OK, "the newest is 1700 s old"),
        (1801, Level.NOTE, "the newest is 1801 s old, more than MAX_EVENT_AGE"),
        (-30, Level.OK, "the newest is 0 s old"),
        (-61, Level.PROBLEM, "the newest is 61 s ahead of our clock"),
    ],
)
def test_how_far_the_topic_reaches(age: float, level: Level, says: str) -> None:
    found = newest_finding("changes", 1_000_000_000, 1_000_000 + age, timedelta(minutes=30))
    assert found.level is level
    assert found.detail.startswith(says)


@pytest.mark.parametrize(
    ("skew", "level", "says"),
    [
        (None, Level.NOTE, "not known"),
        (0.0, Level.OK, "ours is 0 s from it"),
        (-59.0, Level.OK, "ours is 59 s from it"),
        (61.0, Level.PROBLEM, "ours is 61 s behind it: set ours by a time server"),
        (-61.0, Level.PROBLEM, "ours is 61 s ahead of it: set ours by a time server"),
    ],
)
def test_whose_clock_is_wrong(skew: float | None, level: Level, says: str) -> None:
    found = clock_finding(skew)
    assert found.level is level
    assert found.detail.startswith(says)


ALL = frozenset({"DESCRIBE", "WRITE", "READ"})


@pytest.mark.parametrize(
    ("access", "says"),
    [
        (
            TopicAccess("changes", True, 1, 0, frozenset({"DESCRIBE", "READ"})),
            ["problem changes: no right to WRITE: grant it", "ok changes partitions: 1"],
        ),
        (
            TopicAccess("changes", True, 1, 0, frozenset({"DESCRIBE"})),
            ["problem changes: no right to WRITE, READ: grant it", "ok changes partitions: 1"],
        ),
        (
            TopicAccess("changes", True, 3, 2, ALL),
            [
                "ok changes: may describe, write and read",
                "problem changes partitions: 2 of 3 have no leader: see which brokers are down",
            ],
        ),
        (
            TopicAccess("changes", True, 1, 0, frozenset()),
            ["ok changes: may describe", "ok changes partitions: 1"],
        ),
    ],
)
def test_the_missing_rights_and_leaders_are_named(access: TopicAccess, says: list[str]) -> None:
    found = topic_findings(access, settings_for("kafka:9092", "changes"))
    assert [f"{each.level.value} {each.what.removeprefix('topic ')}: {each.detail}" for each in found] == says
