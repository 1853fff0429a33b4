"""The counts as Prometheus metrics, built when asked for."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from wiki_producer.counts import Counts
from wiki_producer.position import UnreadablePosition, parse_position


def lag_seconds(last_event_id: str, now: float) -> float | None:
    """How far the last event read lies behind `now` (seconds since the epoch); None before the first."""
    timestamp = _position_ms(last_event_id)
    return None if timestamp is None else now - timestamp / 1000


def _position_ms(last_event_id: str) -> int | None:
    try:
        return parse_position(last_event_id).timestamp
    except UnreadablePosition:
        return None


class ProducerCollector(Collector):
    """Reads `counts` at each scrape, so that counting costs an addition."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        counts = self._counts
        yield _counter("events_read", "Events read from the stream.", counts.read)
        yield _counter(
            "events_kept", "Changes of the wanted wikis, published for the first time.", counts.kept
        )
        yield _counter(
            "events_already_published", "Events read again after a reconnect.", counts.already_published
        )
        yield _counter("error_events", "Events of type error, which carry no data.", counts.error_events)
        yield _labelled("events_dropped", "Events that are not wanted.", "reason", counts.dropped)
        yield _labelled(
            "events_rejected", "Events sent to the topic of rejected ones.", "reason", counts.rejected
        )
        yield _labelled("reconnects", "Connections to the stream that ended.", "cause", counts.reconnects)
        yield _counter("records_published", "Records handed to the Kafka client.", counts.published)
        yield _counter("records_acknowledged", "Records that the broker has taken.", counts.acknowledged)
        yield _gauge("records_in_flight", "Records published and not acknowledged.", counts.in_flight)
        yield _gauge(
            "bytes_in_flight", "Bytes of values published and not acknowledged.", counts.in_flight_bytes
        )
        timestamp = _position_ms(counts.last_event_id)
        if timestamp is not None:
            yield _gauge(
                "stream_position_seconds", "Time of the last event read, since 1970.", timestamp / 1000
            )
            lag = time.time() - timestamp / 1000
            yield _gauge("stream_lag_seconds", "How far the last event read lies behind now.", lag)


def _counter(name: str, text: str, value: int) -> CounterMetricFamily:
    return CounterMetricFamily(f"wiki_producer_{name}", text, value=value)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"wiki_producer_{name}", text, value=value)


def _labelled(name: str, text: str, label: str, values: Mapping[Any, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(f"wiki_producer_{name}", text, labels=[label])
    # The loop's thread may add a reason meanwhile.
    for key, value in dict(values).items():
        family.add_metric([str(key)], value)
    return family


def registry_of(counts: Counts) -> CollectorRegistry:
    """A registry with these metrics only."""
    registry = CollectorRegistry()
    registry.register(ProducerCollector(counts))
    return registry
