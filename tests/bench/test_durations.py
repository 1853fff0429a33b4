"""How long something took a service, by its metrics."""

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram

from benchmarks.durations import Durations, durations, metrics_of
from harness.processes import free_port
from wiki_common.health.server import status_server


def test_a_services_durations_are_read_from_its_metrics() -> None:
    registry, port = CollectorRegistry(), free_port()
    refresh = Histogram("wiki_web_refresh_seconds", "as the page's", registry=registry)
    counter = Counter("wiki_web_requests", "a few words", ["route"], registry=registry)
    with status_server("127.0.0.1", port, registry, list):
        refresh.observe(8)
        before = durations(port, "wiki_web_refresh_seconds")
        assert before == Durations(1, 8.0)
        for seconds in (0.5, 1.5):
            refresh.observe(seconds)
        counter.labels("/a page").inc(3)
        later = durations(port, "wiki_web_refresh_seconds").since(before)
        assert later == Durations(2, 2.0)
        assert later.mean == 1
        assert metrics_of(port)['wiki_web_requests_total{route="/a page"}'] == 3


def test_what_never_happened_took_no_time_that_could_be_told() -> None:
    with pytest.raises(ZeroDivisionError):
        _ = Durations(0, 0).mean
