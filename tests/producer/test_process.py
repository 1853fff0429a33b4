"""The producer as a process: how it starts, says how it is, and ends."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka import KafkaProducer

from harness.kafka import Broker
from harness.processes import free_port, wait_until
from producer.events import edit, sse_id
from producer.flow import Flow, running
from producer.shifted_stream import shifted_stream
from wiki_common import VERSION
from wiki_producer.relay.heartbeat import rfc3339


@pytest.fixture
def flow(tmp_path: Path, broker: Broker, new_topic_name: Callable[[], str]) -> Iterator[Flow]:
    with running(tmp_path, broker.bootstrap_servers, new_topic_name()) as flow:
        yield flow


def run(module: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_stop_is_orderly_and_says_what_was_sent(flow: Flow) -> None:
    flow.start_stream(rate=400, events=10**9)
    producer = flow.start_producer(LOG_FORMAT="json")
    wait_until(
        lambda: flow.metric("records_acknowledged_total") > 20, timeout=60, what="records acknowledged"
    )
    assert flow.health() == (200, f"ok\nversion {VERSION}\n")
    answer = run("wiki_producer.health", **flow.environment)
    assert (answer.returncode, answer.stdout) == (0, f"ok; version {VERSION}\n")

    assert producer.terminate(30) == 0
    last = json.loads(producer.output().splitlines()[-1])
    assert last["event"] == "stopped"
    assert last["published"] == last["acknowledged"] == len(flow.records()) + len(flow.heartbeats())
    assert "Traceback" not in producer.output()

    ended = run("wiki_producer.health", **flow.environment)
    assert ended.returncode == 1
    assert ended.stdout.startswith("no answer on port")


def test_what_is_too_old_is_given_up_and_the_gap_is_named(flow: Flow) -> None:
    last = int(time.time() * 1000) - 3_600_000
    servers, topic = flow.environment["KAFKA_BOOTSTRAP_SERVERS"], flow.environment["KAFKA_TOPIC"]
    with KafkaProducer(bootstrap_servers=servers) as earlier:
        earlier.send(topic, edit().encode(), headers=[("last-event-id", sse_id(last).encode())])
    flow.start_stream(rate=400, events=10**9)
    producer = flow.start_producer(LOG_FORMAT="json")
    wait_until(lambda: len(flow.records()) > 20, timeout=60, what="records of the stream", every=0.5)

    [gap] = [json.loads(line) for line in producer.output().splitlines() if '"gap: ' in line]
    assert gap["from_ms"] == last
    assert gap["seconds"] == (gap["to_ms"] - last) / 1000
    assert 1800 <= gap["seconds"] < 1800 + 600, "MAX_EVENT_AGE is 30 minutes"
    told = [
        each.headers["covered-from"].decode() for each in flow.heartbeats() if "covered-from" in each.headers
    ]
    assert told == [rfc3339(gap["to_ms"])]


def test_a_stream_of_rubbish_is_said_once_a_minute_and_counted(flow: Flow) -> None:
    producer = flow.start(rate=500, events=10**9, faults={"malformed_every": 3})
    wait_until(lambda: flow.metric("events_rejected_total") > 50, timeout=60, what="rejected events")
    assert producer.terminate(30) == 0
    assert producer.output().count("event rejected") == 1
    assert len(flow.rejected()) > 50


def test_a_stream_that_cannot_be_reached_is_said_at_once_and_waited_for(flow: Flow) -> None:
    producer = flow.start_producer()
    wait_until(lambda: "stream lost, trying again" in producer.output(), timeout=60, what="the log says so")
    wait_until(
        lambda: flow.health()[0] == 503 and "Cannot connect" in flow.health()[1], timeout=20, what="503"
    )
    assert producer.returncode is None
    assert producer.terminate(30) == 0
    assert "Traceback" not in producer.output()


def test_a_refusal_for_good_ends_the_producer_with_the_servers_words(flow: Flow) -> None:
    flow.start_stream(rate=10, events=10**9)
    producer = flow.start_producer(WIKI_USER_AGENT="nobody")
    assert producer.wait(60) == 1
    [line] = [line for line in producer.output().splitlines() if "[info" not in line]
    assert "HTTP 403: Set a User-Agent" in line


def test_a_missing_topic_is_named(broker: Broker) -> None:
    ended = run(
        "wiki_producer",
        KAFKA_BOOTSTRAP_SERVERS=broker.bootstrap_servers,
        KAFKA_TOPIC="nobody-made-this",
        METRICS_PORT=str(free_port()),
        BIND_ADDRESS="127.0.0.1",
    )
    assert ended.returncode == 1
    assert "there is no topic nobody-made-this: run topic_init first" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr


def test_a_broker_that_cannot_be_reached_is_waited_for_and_then_named() -> None:
    server = f"127.0.0.1:{free_port()}"
    ended = run(
        "wiki_producer",
        KAFKA_BOOTSTRAP_SERVERS=server,
        KAFKA_CONNECT_TIMEOUT="1s",
        METRICS_PORT=str(free_port()),
        BIND_ADDRESS="127.0.0.1",
    )
    assert ended.returncode == 1
    assert f"no Kafka broker answers at KAFKA_BOOTSTRAP_SERVERS={server}" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr


def hints(env: dict[str, str]) -> int:
    """How often a producer that ends for want of a broker says that WIKI_USER_AGENT should be set."""
    unreachable = {
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
        "KAFKA_CONNECT_TIMEOUT": "1s",
        "METRICS_PORT": str(free_port()),
        "BIND_ADDRESS": "127.0.0.1",
    }
    return run("wiki_producer", **unreachable, **env).stdout.count("WIKI_USER_AGENT is not set")


@pytest.mark.parametrize(
    ("env", "number"),
    [
        ({}, 1),
        ({"WIKI_USER_AGENT": "mine/1.0 (https://example.org)"}, 0),
        ({"WIKI_STREAM_URL": "http://127.0.0.1:1/v2/stream/recentchange"}, 0),
        ({"WIKI_STREAM_URL": "https://notwikimedia.org/"}, 0),
        ({"WIKI_STREAM_URL": "https://Stream.Wikimedia.org/v2/stream/page-create"}, 1),
    ],
    ids=["live", "set", "simulated", "other host", "other stream"],
)
def test_who_reads_from_wikimedia_without_a_user_agent_of_his_own_is_told_once(
    env: dict[str, str], number: int
) -> None:
    assert hints(env) == number


def test_wikis_of_which_no_event_comes_are_named(
    tmp_path: Path, broker: Broker, new_topic_name: Callable[[], str]
) -> None:
    with running(tmp_path, broker.bootstrap_servers, new_topic_name(), wiki="en.wikipedia.com") as flow:
        producer = flow.start(rate=1000, events=3000)
        wait_until(lambda: "WIKI_DOMAINS" in producer.output(), timeout=60, what="the log names the setting")
        wait_until(lambda: flow.metric("events_read_total") >= 2500, timeout=60, what="more events")
        assert producer.terminate(30) == 0
        [line] = [line for line in producer.output().splitlines() if "WIKI_DOMAINS" in line]
        assert "en.wikipedia.com" in line


@pytest.mark.parametrize(
    ("ahead", "status", "said"),
    [
        (600, 503, "our clock is 600 s behind the stream's"),
        (-600, 503, "our clock is 600 s ahead of the stream's"),
        (120, 200, "our clock is 120 s behind the stream's"),
        (0, 200, ""),
    ],
)
def test_a_clock_that_is_not_the_streams_is_measured_and_said(
    flow: Flow, ahead: int, status: int, said: str
) -> None:
    with shifted_stream(ahead) as url:
        producer = flow.start_producer(WIKI_STREAM_URL=url)
        wait_until(lambda: flow.metric("events_read_total") >= 2, timeout=60, what="events")
        # The header of the answer has whole seconds.
        assert abs(flow.metric("clock_skew_seconds") - ahead) <= 2
        assert flow.metric("stream_lag_seconds") < 10
        found, text = flow.health()
        assert found == status, text
        number = re.compile(r"\d+ s ")
        assert number.sub("", said) in number.sub("", text)
        wait_until(lambda: flow.metric("events_read_total") >= 4, timeout=60, what="more events")
        for record in [*flow.records(), *flow.heartbeats()]:
            assert abs(record.timestamp / 1000 - time.time() - ahead) < 30, "records have the stream's time"
        assert producer.terminate(30) == 0
        assert producer.output().count("our clock") == (1 if said else 0), "once a minute"


def test_a_used_port_is_named(flow: Flow) -> None:
    flow.start_stream(rate=10, events=10**9)
    port = flow.environment["WIKI_STREAM_URL"].split(":")[2].split("/")[0]
    ended = run("wiki_producer", **{**flow.environment, "METRICS_PORT": port})
    assert ended.returncode == 1
    assert f"METRICS_PORT={port}: can't listen on BIND_ADDRESS=127.0.0.1" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("module", ["wiki_producer", "wiki_producer.health"])
def test_a_wrong_setting_is_one_line(module: str) -> None:
    ended = run(module, MAX_EVENT_AGE="soon")
    assert ended.returncode == 2
    assert ended.stderr.startswith("MAX_EVENT_AGE=soon: ")
    assert ended.stderr.count("\n") == 1
