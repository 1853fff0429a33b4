"""What heartbeats claim is true, in whatever order partitions acknowledge, and wherever a crash comes."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from kafka.future import Future

from producer.events import EDIT, sse_id
from producer.relay.parts import parts_of
from producer.topics import settings_for
from wiki_producer.kafka.client import partition_for
from wiki_producer.relay.heartbeat import rfc3339
from wiki_producer.stream.connection import MessageEvent
from wiki_producer.stream.position import After, Live, Position, parse_position, timestamp_of
from wiki_producer.stream.resume import PartitionEnds, resume_point

NOW = 1_795_474_801_000
AGE_MS = 30 * 60_000
PARTITIONS = 3


@dataclass(frozen=True)
class Read:
    """An event with this title comes; None: one that is dropped."""

    title: str | None


@dataclass(frozen=True)
class Acknowledge:
    """The leader of a partition takes so many records; one that is away takes none."""

    partition: int
    records: int


@dataclass(frozen=True)
class Look:
    """The heart looks, long after the last record."""


Step = Read | Acknowledge | Look
steps = st.lists(
    st.one_of(
        st.builds(Read, st.one_of(st.none(), st.sampled_from("abcdefgh"))),
        st.builds(Acknowledge, st.integers(0, PARTITIONS - 1), st.integers(1, 4)),
        st.just(Look()),
    ),
    max_size=60,
)


@dataclass(frozen=True)
class Sent:
    value: dict[str, Any]
    headers: dict[str, str]
    future: Future

    @property
    def position(self) -> Position:
        return parse_position(self.headers["last-event-id"])

    @property
    def is_change(self) -> bool:
        return "title" in self.value


class Cluster:
    """In place of a KafkaProducer: each partition takes its records in order, when it is told to."""

    def __init__(self) -> None:
        self.waiting: dict[int, list[Sent]] = defaultdict(list)
        self.taken: dict[int, list[Sent]] = defaultdict(list)

    def partitions_for(self, _topic: str) -> set[int]:
        return set(range(PARTITIONS))

    def send(
        self,
        _topic: str,
        value: bytes,
        key: bytes | None,
        headers: list[tuple[str, bytes]],
        partition: int | None,
        _timestamp_ms: int,
    ) -> Future:
        number = partition_for(key or b"", PARTITIONS) if partition is None else partition
        sent = Sent(json.loads(value), {name: text.decode() for name, text in headers}, Future())
        self.waiting[number].append(sent)
        return sent.future

    def acknowledge(self, step: Acknowledge) -> None:
        waiting = self.waiting[step.partition]
        for _ in range(min(step.records, len(waiting))):
            sent = waiting.pop(0)
            self.taken[step.partition].append(sent)
            sent.future.success(SimpleNamespace(serialized_value_size=0))

    def ends(self) -> list[PartitionEnds]:
        """As a start reads them after a crash: what was waiting is gone."""
        return [
            PartitionEnds(number, unwritten=False, first=taken[0].position, last=taken[-1].position)
            if (taken := self.taken[number])
            else PartitionEnds(number, unwritten=True)
            for number in range(PARTITIONS)
        ]


async def run(cluster: Cluster, history: list[Step]) -> None:
    """Relay what the steps say, from an empty topic on, and then crash."""
    parts = parts_of(settings_for("none:1", "topic"), cluster, monotonic=count(step=10).__next__)

    async def connection() -> AsyncIterator[MessageEvent]:
        numbers = count()
        for step in history:
            match step:
                case Read(title):
                    at = NOW + 10 * next(numbers)
                    domain = "en.wikipedia.org" if title else "canary"
                    meta = {**EDIT["meta"], "id": str(at), "dt": rfc3339(at), "domain": domain}
                    data = json.dumps({**EDIT, "title": title or "-", "meta": meta})
                    yield MessageEvent("message", "message", data, "http://stream", sse_id(at))
                case Acknowledge():
                    cluster.acknowledge(step)
                case Look():
                    parts.heart.look()

    await parts.relay.run(connection(), Live(), on_first=lambda: None)


@given(steps)
def test_a_restart_resumes_before_every_change_that_is_not_in_the_topic(history: list[Step]) -> None:
    cluster = Cluster()
    asyncio.run(run(cluster, history))
    point = resume_point(cluster.ends(), now_ms=NOW, max_age_ms=AGE_MS)
    lost = [sent for each in cluster.waiting.values() for sent in each if sent.is_change]
    assert isinstance(point, After) or not any(cluster.taken.values())
    for sent in lost:
        assert not isinstance(point, After) or point.position.timestamp + 2_000 < sent.position.timestamp


@given(steps)
def test_a_heartbeat_in_the_topic_says_that_every_earlier_change_is_there(history: list[Step]) -> None:
    cluster = Cluster()
    asyncio.run(run(cluster, history))
    heartbeats = [sent for each in cluster.taken.values() for sent in each if not sent.is_change]
    told = max((timestamp_of(each.headers["last-event-id"]) or 0 for each in heartbeats), default=0)
    for sent in (sent for each in cluster.waiting.values() for sent in each):
        assert not sent.is_change or sent.position.timestamp > told
