"""Nothing is lost between a stream with faults and the topic: mixtures of faults, and (slow) each alone."""

import random
import time
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.kafka import Broker
from harness.processes import wait_until
from producer.flow import Flow, running
from producer.impatient import DELIVERY_TIMEOUT_SECONDS
from wiki_producer.kafka.in_flight import MOST_RECORDS
from wiki_producer.stream.position import REWIND_MS

pytestmark = pytest.mark.slow

TopicNames = Callable[[], str]


def read_to_the_end(flow: Flow, *, events: int, rate: int, **faults: int) -> None:
    """Run a live stream of `events` events with `faults` from its first to its last."""
    flow.start(rate=rate, events=events, faults=faults, WIKI_STREAM_IDLE_TIMEOUT="2s")
    flow.await_all(last_index=events - 1)
    flow.check_order()
    assert len(flow.rejected()) == len(flow.handed().unreadable), "half an event is no event"


def test_nothing_is_lost_when_the_stream_cuts_refuses_and_sends_rubbish(
    tmp_path: Path, broker: Broker, new_topic_name: TopicNames
) -> None:
    with running(tmp_path, broker.bootstrap_servers, new_topic_name()) as flow:
        read_to_the_end(
            flow, events=1500, rate=300, cut_every=340, refuse_every=3, malformed_every=90, huge_every=400
        )
        assert flow.duplicates() == 0, "within a process nothing is published twice"
        assert flow.metric("reconnects_total") >= 5
        assert {record.headers["reason"] for record in flow.rejected()}
        assert flow.producer is not None
        assert flow.producer.terminate(30) == 0


def test_nothing_is_lost_when_the_stream_resets_closes_and_stalls(
    tmp_path: Path, broker: Broker, new_topic_name: TopicNames
) -> None:
    with running(tmp_path, broker.bootstrap_servers, new_topic_name(), partitions=12) as flow:
        read_to_the_end(flow, events=1500, rate=300, reset_every=700, close_every=460, stall_after=900)
        assert flow.duplicates() == 0


def kill_at_random_moments(flow: Flow, *, kills: int, seed: int, rate: int, longest: float) -> None:
    """SIGKILL the producer `kills` times while events flow, then let it catch up."""
    moments = random.Random(seed)
    producer = flow.start(rate=rate, events=10**9)
    for _ in range(kills):
        wait_until(lambda: flow.metric("events_read_total") > 0, timeout=60, what="events flow")
        time.sleep(moments.uniform(0, longest))
        producer.kill()
        producer = flow.start_producer()
    flow.await_handed()
    assert flow.stream is not None
    flow.stream.kill()
    flow.check_order()


def check_that_duplicates_are_of_the_rewind(flow: Flow, *, starts: int, rate: int) -> None:
    """With one partition a start publishes again what lies up to 2 s before the topic's last record."""
    indices = sorted(flow.handed().changes)
    rewind = rate * REWIND_MS // 1000 + 1
    most = max(bisect_right(indices, index + rewind) - place for place, index in enumerate(indices))
    print(f"duplicates: {flow.duplicates()} after {starts} starts, up to {most} each")  # noqa: T201
    assert flow.duplicates() <= starts * most


@pytest.mark.parametrize("partitions", [1, 12])
def test_nothing_is_lost_when_the_producer_is_killed(
    tmp_path: Path, broker: Broker, new_topic_name: TopicNames, partitions: int, seed: int
) -> None:
    with running(tmp_path, broker.bootstrap_servers, new_topic_name(), partitions=partitions) as flow:
        kill_at_random_moments(flow, kills=2, seed=seed, rate=300, longest=1)
        if partitions == 1:
            check_that_duplicates_are_of_the_rewind(flow, starts=2, rate=300)


def test_nothing_is_lost_over_20_kills(
    tmp_path: Path, broker: Broker, new_topic_name: TopicNames, seed: int
) -> None:
    with running(tmp_path, broker.bootstrap_servers, new_topic_name()) as flow:
        kill_at_random_moments(flow, kills=20, seed=seed, rate=500, longest=1.5)
        check_that_duplicates_are_of_the_rewind(flow, starts=20, rate=500)


@pytest.mark.parametrize(
    "faults",
    [
        {"cut_every": 100},
        {"close_every": 100},
        {"reset_every": 100},
        {"refuse_every": 2, "close_every": 100},
        {"refuse_every": 2, "refuse_status": 429, "retry_after": 1, "close_every": 300},
        {"stall_after": 300},
        {"malformed_every": 20},
        {"huge_every": 100},
    ],
    ids=lambda faults: next(iter(faults)) + str(faults.get("refuse_status", "")),
)
def test_nothing_is_lost_by_one_fault(
    tmp_path: Path, broker: Broker, new_topic_name: TopicNames, faults: dict[str, int]
) -> None:
    with running(tmp_path, broker.bootstrap_servers, new_topic_name()) as flow:
        read_to_the_end(flow, events=600, rate=200, **faults)
        assert flow.duplicates() == 0


def outlive_a_broker(
    folder: Path,
    *,
    rate: int,
    seconds: float,
    while_away: Callable[[Flow], None],
    module: str = "wiki_producer",
) -> None:
    """Stop the broker for `seconds` while events flow; everything arrives afterwards, once.

    `while_away` is called at the end of the outage. `module` is run as the producer.
    """
    own = Broker(folder / "broker")
    try:
        with running(folder, own.bootstrap_servers, "changes", wiki="*") as flow:
            flow.start_stream(rate=rate, events=10**9)
            producer = flow.start_producer(module)
            wait_until(lambda: flow.metric("records_acknowledged_total") > 50, timeout=60, what="events flow")
            own.stop()
            begin = time.monotonic()
            wait_until(lambda: time.monotonic() - begin > seconds, timeout=seconds + 5, what="an outage")
            assert producer.returncode is None
            while_away(flow)
            own.start()
            flow.await_handed()
            assert flow.duplicates() == 0
            assert producer.terminate(30) == 0
            flow.check_order()
    finally:
        own.close()


def test_nothing_is_lost_while_the_broker_is_away_for_a_moment(tmp_path: Path) -> None:
    def records_wait(flow: Flow) -> None:
        assert flow.metric("records_in_flight") > 0

    outlive_a_broker(tmp_path, rate=50, seconds=4, while_away=records_wait)


def check_that_the_stream_waits(flow: Flow) -> None:
    """As many records as may be are in flight, the rest is left to the stream, and health says why."""
    wait_until(lambda: flow.metric("records_in_flight") == MOST_RECORDS, timeout=60, what="all are in flight")
    status, reason = flow.health()
    assert (status, "broker unreachable for" in reason) == (503, True), reason


def test_nothing_is_lost_while_the_broker_is_away_for_longer_than_clients_wait(tmp_path: Path) -> None:
    outlive_a_broker(
        tmp_path,
        rate=700,
        seconds=DELIVERY_TIMEOUT_SECONDS + 10,
        while_away=check_that_the_stream_waits,
        module="producer.impatient",
    )
