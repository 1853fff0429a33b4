"""What was read, published and dropped, as Prometheus metrics that are built when asked for."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from wiki_common.process_metrics import watch_process
from wiki_producer.kafka.in_flight import InFlight
from wiki_producer.relay.decide import DropReason, RejectReason
from wiki_producer.status.counts import Counts
from wiki_producer.status.freshness import Freshness
from wiki_producer.stream.clock import StreamClock
from wiki_producer.stream.position import timestamp_of
from wiki_producer.stream.progress import Progress


class ProducerCollector(Collector):
    """Reads the numbers at each scrape, so that counting an event costs no more than an addition."""

    def __init__(
        self,
        progress: Progress,
        in_flight: InFlight,
        counts: Counts,
        clock: StreamClock,
        freshness: Freshness,
    ) -> None:
        self._clock = clock
        self._progress = progress
        self._in_flight = in_flight
        self._counts = counts
        self._freshness = freshness

    def collect(self) -> Iterator[Metric]:
        yield from self._event_counts()
        yield from self._publishing()
        yield from self._position()

    def _event_counts(self) -> Iterator[Metric]:
        counts = self._counts
        yield _counter("events_read", "Events read from the stream.", self._progress.events)
        yield _counter(
            "events_kept", "Changes of the wanted wikis, published for the first time.", counts.kept
        )
        yield _counter(
            "events_already_published", "Events read again after a reconnect.", counts.already_published
        )
        yield _counter("error_events", "Events of type error, which carry no data.", counts.error_events)
        yield _counter(
            "other_events",
            "Events of other types, such as heartbeats.",
            counts.other_events,
        )
        # Each reason from the start on: who sees a count appear can't tell by how much it rose.
        dropped: dict[str, int] = {reason: counts.dropped[reason] for reason in DropReason}
        rejected: dict[str, int] = {reason: counts.rejected[reason] for reason in RejectReason}
        yield _labelled("events_dropped", "Events that are not wanted.", "reason", dropped)
        yield _labelled("events_rejected", "Events sent to the topic of rejected ones.", "reason", rejected)
        yield _labelled("reconnects", "Connections to the stream that ended.", "cause", counts.reconnects)

    def _publishing(self) -> Iterator[Metric]:
        in_flight = self._in_flight
        yield _counter("records_published", "Records handed to the Kafka client.", in_flight.published)
        yield _counter(
            "heartbeats_sent", "Records that say how far the stream was read.", self._counts.heartbeats
        )
        yield HistogramMetricFamily(
            "wiki_producer_freshness_seconds",
            "From meta.dt of a change to Kafka's acknowledgement, by the stream's clock.",
            buckets=list(self._freshness.buckets()),
            sum_value=self._freshness.sum_seconds,
        )
        yield _counter("records_acknowledged", "Records that the broker has taken.", in_flight.acknowledged)
        yield _gauge("records_in_flight", "Records published and not acknowledged.", in_flight.records)
        yield _gauge("bytes_in_flight", "Bytes of values published and not acknowledged.", in_flight.bytes)

    def _position(self) -> Iterator[Metric]:
        timestamp = timestamp_of(self._progress.last_event_id)
        if timestamp is not None:
            yield _gauge(
                "stream_position_seconds", "Time of the last event read, since 1970.", timestamp / 1000
            )
            lag = self._clock.now() - timestamp / 1000
            yield _gauge("stream_lag_seconds", "How far the last event read lies behind the stream.", lag)
        skew = self._clock.skew_seconds
        if skew is not None:
            yield _gauge("clock_skew_seconds", "How far our clock is behind the stream's.", skew)


def _counter(name: str, text: str, value: int) -> CounterMetricFamily:
    return CounterMetricFamily(f"wiki_producer_{name}", text, value=value)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"wiki_producer_{name}", text, value=value)


def _labelled(name: str, text: str, label: str, values: Mapping[str, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(f"wiki_producer_{name}", text, labels=[label])
    # The event loop's thread may add a label meanwhile.
    for key, value in dict(values).items():
        family.add_metric([key], value)
    return family


def registry_of(
    progress: Progress, in_flight: InFlight, counts: Counts, clock: StreamClock, freshness: Freshness
) -> CollectorRegistry:
    """A registry with these metrics, and with what the process costs."""
    registry = CollectorRegistry()
    registry.register(ProducerCollector(progress, in_flight, counts, clock, freshness))
    watch_process(registry, "wiki_producer_memory_bytes")
    return registry
