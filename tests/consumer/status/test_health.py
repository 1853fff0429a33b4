from datetime import timedelta

from harness.processes import free_port
from wiki_common import VERSION
from wiki_common.health.probe import ask
from wiki_common.health.server import status_server
from wiki_consumer.status.health import MIN_SILENCE, Health
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


def test_the_server_tells_health_and_metrics() -> None:
    state, metrics, port = Health(SECOND), Metrics(), free_port()
    with status_server("127.0.0.1", port, metrics.registry, state.reasons):
        assert ask("127.0.0.1", port) == (False, f"starting; version {VERSION}")
        state.reported()
        assert ask("127.0.0.1", port) == (True, f"ok; version {VERSION}")
    healthy, reason = ask("127.0.0.1", port)
    assert not healthy
    assert f"no answer on port {port}" in reason
