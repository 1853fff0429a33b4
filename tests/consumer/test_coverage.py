"""A consumer whose clock is ten minutes behind the stream's, from its start over a gap to another start."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consumer import topics
from consumer.running import Consumer, committed_ids
from consumer.topics import event
from consumer.volumes import gaps_that_a_reader_sees
from harness.kafka import Broker
from harness.processes import wait_until
from wiki_common.coverage import Gap
from wiki_consumer.volume.as_of import last_as_of
from wiki_consumer.volume.raw_files import list_raw_files

pytestmark = pytest.mark.slow

BEHIND = 600
CHANGES = 20


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def as_of(data: Path) -> datetime | None:
    changes = data / "changes"
    return last_as_of(changes, list_raw_files(changes))


@pytest.mark.timeout(600)
def test_who_is_behind_keeps_all_and_tells_up_to_when_and_what_nobody_watched(
    broker: Broker, new_topic_name: Callable[[], str], tmp_path: Path
) -> None:
    """By its clock all events and records are of the time to come, after the gap by half an hour."""
    topic = new_topic_name()
    topics.create(broker.bootstrap_servers, topic, partitions=2)
    writer = topics.Writer(broker.bootstrap_servers, topic)
    consumer = Consumer(tmp_path, broker.bootstrap_servers, topic)
    data = consumer.data
    begin = round(time.time()) + BEHIND
    try:
        for partition in range(2):
            writer.beat(begin + 1, covered_from=begin, partition=partition)
        changes = [event(number, at=begin + 2 + number) for number in range(CHANGES)]
        for number, change in enumerate(changes):
            writer.write([change], at=begin + 2 + number)
        quiet = begin + 2 + CHANGES + 10
        writer.beat(quiet)
        process = consumer.start()
        wait_until(lambda: as_of(data) == at(quiet), timeout=120, what="everything is counted")
        consumer.wait_until_healthy()
        wait_until(lambda: consumer.value("heartbeats_total") == 3, timeout=60, what="the batches are told")
        assert consumer.value("rows_total") == CHANGES
        assert consumer.value("future_total") == consumer.value("late_total") == 0
        assert consumer.value("malformed_total") == 0
        assert BEHIND - 60 < consumer.value("clock_skew_seconds") < BEHIND + 60
        assert f"counted up to {at(quiet):%Y-%m-%dT%H:%M:%SZ}" in consumer.health()[1]
        assert gaps_that_a_reader_sees(data) == (Gap(None, at(begin)),)
        assert process.terminate(60) == 0

        again = quiet + 1200
        writer.beat(again + 60, covered_from=again)
        process = consumer.start()
        wait_until(lambda: as_of(data) == at(again + 60), timeout=120, what="the gap is passed")
        assert gaps_that_a_reader_sees(data) == (Gap(None, at(begin)), Gap(at(quiet), at(again)))
        assert process.terminate(60) == 0
        assert committed_ids(data) == {f"event-{number}": 1 for number in range(CHANGES)}
    finally:
        consumer.close()
        writer.close()
