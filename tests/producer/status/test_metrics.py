import time
from email.utils import formatdate

from prometheus_client import generate_latest

from producer.events import sse_id
from wiki_common.event_time import parse_event_time
from wiki_producer.kafka.in_flight import InFlight
from wiki_producer.relay.decide import DropReason, RejectReason
from wiki_producer.status.counts import Counts
from wiki_producer.status.freshness import BUCKETS, Freshness
from wiki_producer.status.metrics import registry_of
from wiki_producer.stream.clock import StreamClock
from wiki_producer.stream.progress import Progress


def samples(
    progress: Progress | None = None,
    in_flight: InFlight | None = None,
    counts: Counts | None = None,
    clock: StreamClock | None = None,
    freshness: Freshness | None = None,
) -> dict[str, float]:
    registry = registry_of(
        progress or Progress(),
        in_flight or InFlight(),
        counts or Counts(),
        clock or StreamClock(),
        freshness or Freshness(time.time),
    )
    lines = generate_latest(registry).decode().splitlines()
    return {
        line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")
    }


def test_each_count_is_a_metric() -> None:
    counts = Counts(kept=4, already_published=2, heartbeats=6)
    counts.dropped[DropReason.CANARY] += 1
    counts.rejected[RejectReason.TOO_LARGE] += 2
    counts.reconnects["http_503"] += 3
    found = samples(Progress(9), InFlight(published=7, acknowledged=5, bytes_published=50), counts)
    expected = {
        "events_read_total": 9,
        "events_kept_total": 4,
        "events_already_published_total": 2,
        'events_dropped_total{reason="canary"}': 1,
        'events_rejected_total{reason="too large"}': 2,
        'reconnects_total{cause="http_503"}': 3,
        "heartbeats_sent_total": 6,
        "records_published_total": 7,
        "records_acknowledged_total": 5,
        "records_in_flight": 2,
        "bytes_in_flight": 50,
    }
    assert {name: found[f"wiki_producer_{name}"] for name in expected} == expected


def test_each_reason_is_there_before_its_first_event() -> None:
    """Else the first events of a reason would not show as a rate."""
    found = samples()
    for name, reasons in (("dropped", DropReason), ("rejected", RejectReason)):
        for reason in reasons:
            assert found[f'wiki_producer_events_{name}_total{{reason="{reason}"}}'] == 0


def test_position_and_lag_appear_with_the_first_event() -> None:
    assert "wiki_producer_stream_lag_seconds" not in samples()
    at = time.time() - 100
    found = samples(Progress(last_event_id=sse_id(int(at * 1000))))
    assert 99 < found["wiki_producer_stream_lag_seconds"] < 200
    assert abs(found["wiki_producer_stream_position_seconds"] - at) < 1


def test_the_skew_of_the_clock_appears_once_it_is_known_and_the_lag_is_by_the_streams() -> None:
    assert "wiki_producer_clock_skew_seconds" not in samples()
    clock = StreamClock()
    clock.answered(formatdate(time.time() + 600))
    progress = Progress(last_event_id=sse_id(int((time.time() + 590) * 1000)))
    found = samples(progress, clock=clock)
    assert 598 < found["wiki_producer_clock_skew_seconds"] < 602
    assert 8 < found["wiki_producer_stream_lag_seconds"] < 20


def test_freshness_is_a_histogram_by_the_streams_clock() -> None:
    freshness = Freshness(lambda: parse_event_time("2026-11-23T23:00:02Z") or 0.0)
    for dt in ("2026-11-23T23:00:01.900Z", "2026-11-23T23:00:00Z", "2026-11-23T22:00:00Z"):
        freshness.acknowledged(dt)
    freshness.acknowledged("2026-11-23T23:00:02.500Z")
    freshness.acknowledged(None)
    freshness.acknowledged("soon")
    found = samples(freshness=freshness)
    name = "wiki_producer_freshness_seconds"
    counts = [found[f'{name}_bucket{{le="{limit}"}}'] for limit in (0.05, 0.2, 1.5, 2.0, 60.0, "+Inf")]
    assert counts == [1, 2, 2, 3, 3, 4], "one is dated ahead, one is an hour old"
    assert found[f"{name}_count"] == 4
    assert round(found[f"{name}_sum"], 3) == 0.1 + 2 + 3602
    assert (BUCKETS[0], BUCKETS[-1]) == (0.05, 60.0)
