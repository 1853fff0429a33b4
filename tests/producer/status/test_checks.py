"""The doctor as a process: a line per check, and what to do where one fails. Logins: tests/security."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.kafka import Broker
from harness.processes import free_port
from producer.flow import running
from producer.topics import settings_for
from wiki_producer.kafka.probe import TopicAccess
from wiki_producer.status.checks import topic_finding


def doctor(**env: str) -> tuple[int, list[str]]:
    """The exit code and the lines."""
    ended = subprocess.run(
        [sys.executable, "-m", "wiki_producer.doctor"],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.stderr == ""
    return ended.returncode, ended.stdout.splitlines()


def test_each_check_is_a_line(tmp_path: Path, broker: Broker, new_topic_name: Callable[[], str]) -> None:
    topic, server = new_topic_name(), broker.bootstrap_servers
    with running(tmp_path, server, topic) as flow:
        flow.start_stream(rate=10, events=10**9)
        assert doctor(**flow.environment) == (
            0,
            [
                "ok   settings: they fit together",
                f"ok   {server} name: 127.0.0.1",
                f"ok   {server} TCP: the port answers",
                f"ok   {server} TLS: not used (KAFKA_SECURITY_PROTOCOL)",
                f"ok   {server} login: none needed",
                f"ok   topic {topic}: may describe, write and read",
                f"ok   topic {topic}.rejected: may describe, write and read",
                f"ok   stream {flow.environment['WIKI_STREAM_URL']}: answers our User-Agent with events",
            ],
        )
        code, lines = doctor(**flow.environment, WIKI_USER_AGENT="nobody")
        assert code == 1
        assert "HTTP 403: Set a User-Agent" in lines[-1]
        assert lines[-1].endswith(": set WIKI_USER_AGENT to your project and a contact")


def test_what_is_missing_is_named_with_what_to_do(broker: Broker) -> None:
    port = free_port()
    servers = ("nobody.invalid:9092", f"127.0.0.1:{port}", broker.bootstrap_servers)
    url = f"http://127.0.0.1:{port}/"
    code, lines = doctor(
        KAFKA_BOOTSTRAP_SERVERS=",".join(servers), KAFKA_TOPIC="nobody-made-this", WIKI_STREAM_URL=url
    )
    assert code == 1
    failed = [line for line in lines if line.startswith("FAIL")]
    for line, (begin, end) in zip(
        failed,
        [
            ("nobody.invalid:9092 name: ", "check the host in KAFKA_BOOTSTRAP_SERVERS and the DNS"),
            (f"127.0.0.1:{port} TCP: Connection refused: ", "the security group and the network"),
            ("topic nobody-made-this: it does not exist: ", "run topic-init, which makes it"),
            ("topic nobody-made-this.rejected: it does not exist: ", "run topic-init, which makes it"),
            (f"stream {url}: Cannot connect", "check WIKI_STREAM_URL and the way out to it"),
        ],
        strict=True,
    ):
        assert line.startswith(f"FAIL {begin}")
        assert line.endswith(end)


def test_wrong_settings_are_a_line_each() -> None:
    code, lines = doctor(MAX_EVENT_AGE="soon", KAFKA_TOPIC="a b")
    assert code == 2
    assert [line.split(": ")[:2] for line in lines] == [
        ["FAIL settings", "MAX_EVENT_AGE=soon"],
        ["FAIL settings", "KAFKA_TOPIC=a b"],
    ]


@pytest.mark.parametrize(
    ("operations", "says"),
    [
        ({"DESCRIBE", "READ"}, "FAIL topic changes: no right to WRITE: grant it"),
        ({"DESCRIBE"}, "FAIL topic changes: no right to WRITE, READ: grant it"),
        ({"DESCRIBE", "WRITE", "READ"}, "ok   topic changes: may describe, write and read"),
        (set(), "ok   topic changes: may describe"),
    ],
)
def test_the_missing_rights_are_named(operations: set[str], says: str) -> None:
    access = TopicAccess("changes", visible=True, exists=True, operations=frozenset(operations))
    assert str(topic_finding(access, settings_for("kafka:9092", "changes"))) == says
