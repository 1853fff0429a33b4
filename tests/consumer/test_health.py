from datetime import timedelta

from harness.processes import free_port
from wiki_consumer import health, status_server
from wiki_consumer.health import MIN_SILENCE, Health
from wiki_consumer.metrics import Metrics

SECOND = timedelta(seconds=1)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_query_that_only_started_is_not_healthy() -> None:
    assert Health(SECOND).reason() == "starting"


def test_reports_keep_it_healthy_and_silence_does_not() -> None:
    clock = Clock()
    state = Health(SECOND, clock)
    state.reported()
    clock.now = MIN_SILENCE
    assert state.reason() is None
    clock.now = MIN_SILENCE + 1
    assert state.reason() == "no batch committed for 61 s"
    state.reported()
    assert state.reason() is None


def test_a_slow_trigger_is_no_silence() -> None:
    clock = Clock()
    state = Health(100 * SECOND, clock)
    state.reported()
    clock.now = 300
    assert state.reason() is None
    clock.now = 301
    assert state.reason() == "no batch committed for 301 s"


def test_trouble_is_named_until_the_next_report() -> None:
    state = Health(SECOND)
    state.reported()
    state.trouble("no room on the volume")
    assert state.reason() == "no room on the volume"
    state.reported()
    assert state.reason() is None


def test_the_server_tells_health_and_metrics() -> None:
    state, metrics, port = Health(SECOND), Metrics(), free_port()
    server = status_server.serve("127.0.0.1", port, metrics.registry, state)
    try:
        assert health.ask(port) == (False, "starting")
        state.reported()
        assert health.ask(port) == (True, "ok")
    finally:
        server.shutdown()
        server.server_close()
    healthy, reason = health.ask(port)
    assert not healthy
    assert f"no answer on port {port}" in reason
