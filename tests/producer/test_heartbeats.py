"""A quiet wiki: the topic says how far the stream was read, and a restart goes on from there."""

import itertools
import json
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from harness.kafka import Broker
from harness.processes import Process, wait_until
from producer.flow import running
from producer.topics import Record
from wiki_common.event_time import parse_event_time
from wiki_producer.stream.position import REWIND_MS, parse_position

TopicNames = Callable[[], str]
PARTITIONS = 3
RATE = 100
QUIET_SECONDS = 20
QUIET_EVENTS = RATE * QUIET_SECONDS


def by_partition(records: list[Record]) -> dict[int, list[Record]]:
    found: dict[int, list[Record]] = defaultdict(list)
    for record in records:
        found[record.partition].append(record)
    return found


def seconds_of(record: Record) -> float:
    """The `meta.dt` of a heartbeat."""
    return parse_event_time(json.loads(record.value)["meta"]["dt"]) or 0.0


def check_heartbeats(records: list[Record]) -> None:
    """Of one partition, since the start on an empty topic: one a second, each true when it was sent."""
    assert ["covered-from" in record.headers for record in records] == [True] + [False] * (len(records) - 1)
    assert records[0].headers["covered-from"].decode() == json.loads(records[0].value)["meta"]["dt"]
    times = [seconds_of(record) for record in records]
    assert times == sorted(times)
    ages = [record.timestamp / 1000 - each for record, each in zip(records[1:], times[1:], strict=True)]
    assert all(0 <= age < 5 for age in ages)
    sent = [record.timestamp / 1000 for record in records[1:]]
    pauses = [later - each for each, later in itertools.pairwise(sent)]
    assert min(pauses) > 0.9
    assert sorted(pauses)[len(pauses) // 2] < 2, "a busy machine may be late now and then"


def resumed_at(producer: Process) -> int:
    """Where the producer's last start resumed, in ms."""
    lines = [json.loads(line) for line in producer.output().splitlines() if '"resuming"' in line]
    return int(lines[-1]["timestamp_ms"])


def test_a_quiet_wiki_resumes_where_it_was_and_loses_nothing(
    tmp_path: Path, broker: Broker, new_topic_name: TopicNames
) -> None:
    with running(tmp_path, broker.bootstrap_servers, new_topic_name(), partitions=PARTITIONS) as flow:
        producer = flow.start(
            rate=RATE, events=10**9, faults={"english_every": QUIET_EVENTS}, LOG_FORMAT="json"
        )
        began = time.monotonic()
        wait_until(lambda: len(flow.heartbeats()) >= 9 * PARTITIONS, timeout=60, what="heartbeats", every=0.5)
        producer.kill()
        found = by_partition(flow.heartbeats())
        assert set(found) == set(range(PARTITIONS))
        for records in found.values():
            check_heartbeats(records)
        # The change comes while nobody reads.
        time.sleep(max(0, QUIET_SECONDS + 0.5 - (time.monotonic() - began)))
        assert flow.records() == []
        producer = flow.start_producer(LOG_FORMAT="json")
        wait_until(lambda: flow.records() != [], timeout=60, what="the change that came meanwhile", every=0.3)
        last = min(parse_position(each[-1].headers["last-event-id"]).timestamp for each in found.values())
        assert resumed_at(producer) == last - REWIND_MS
        flow.await_handed()
        assert len(flow.handed().changes) == len(flow.records()) == 1
        assert [each for each in flow.heartbeats() if "covered-from" in each.headers] == [
            records[0] for records in by_partition(flow.heartbeats()).values()
        ], "coverage goes on"
        assert "gap: " not in producer.output()
