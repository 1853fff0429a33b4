from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from consumer.query.test_progress import PROGRESS
from harness.processes import free_port
from wiki_common import VERSION
from wiki_common.health.probe import ask
from wiki_common.health.server import status_server
from wiki_consumer.query.progress import Batch, batch_of
from wiki_consumer.status.health import ALL_DROPPED, MIN_SILENCE, Health
from wiki_consumer.status.metrics import Metrics

SECOND = timedelta(seconds=1)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_query_that_only_started_is_not_healthy() -> None:
    assert Health(SECOND).reasons() == ["starting"]


def test_reports_keep_it_healthy_and_silence_does_not() -> None:
    clock = Clock()
    state = Health(SECOND, clock)
    state.reported()
    clock.now = MIN_SILENCE
    assert state.reasons() == []
    clock.now = MIN_SILENCE + 1
    assert state.reasons() == ["no batch committed for 61 s"]
    state.reported()
    assert state.reasons() == []


def test_a_slow_trigger_is_no_silence() -> None:
    clock = Clock()
    state = Health(100 * SECOND, clock)
    state.reported()
    clock.now = 300
    assert state.reasons() == []
    clock.now = 301
    assert state.reasons() == ["no batch committed for 301 s"]


def test_trouble_is_named_until_the_next_report() -> None:
    state = Health(SECOND)
    state.reported()
    state.trouble("no room on the volume")
    assert state.reasons() == ["no room on the volume"]
    state.reported()
    assert state.reasons() == []


NOTHING = replace(batch_of(PROGRESS), rows=0, duplicates=0, late=0, future=0, lag_records=0)


@pytest.mark.parametrize(
    ("dropped", "told"),
    [
        (replace(NOTHING, future=5), True),
        (replace(NOTHING, future=5, lag_records=10), True),
        (replace(NOTHING, late=5), True),
        (replace(NOTHING, late=5, lag_records=10), False),
        (replace(NOTHING, rows=1, future=5), False),
        (replace(NOTHING, duplicates=1, late=5), False),
        (replace(NOTHING, heartbeats=1, future=5), True),
        (NOTHING, False),
    ],
)
def test_who_drops_everything_is_not_healthy(dropped: Batch, told: bool) -> None:
    clock = Clock()
    state = Health(SECOND, clock)
    clock.now = 1000
    for _ in range(int(ALL_DROPPED) + 2):
        state.committed(dropped)
        clock.now += 1
    assert len(state.reasons()) == told
    assert all("every change of the last 122 s was dropped" in reason for reason in state.reasons())
    state.committed(replace(NOTHING, rows=1))
    assert state.reasons() == []


def test_the_server_tells_health_and_metrics() -> None:
    state, metrics, port = Health(SECOND), Metrics(), free_port()
    with status_server("127.0.0.1", port, metrics.registry, state.reasons, notes=state.notes):
        assert ask("127.0.0.1", port) == (False, f"starting; version {VERSION}")
        state.reported()
        assert ask("127.0.0.1", port) == (True, f"ok; version {VERSION}")
        state.counted(datetime(2026, 1, 31, 12, 0, 0, 250_000, tzinfo=UTC))
        assert ask("127.0.0.1", port) == (True, f"ok; counted up to 2026-01-31T12:00:00Z; version {VERSION}")
    healthy, reason = ask("127.0.0.1", port)
    assert not healthy
    assert f"no answer on port {port}" in reason
