from dataclasses import dataclass, field

import pytest

from wiki_producer.kafka.in_flight import InFlight
from wiki_producer.status.watch import Watch
from wiki_producer.stream.progress import Progress


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Seen:
    """What the watch looks at."""

    progress: Progress = field(default_factory=Progress)
    in_flight: InFlight = field(default_factory=InFlight)
    stream_error: str | None = None
    skew_seconds: float | None = None


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def watch(seen: Seen, clock: Clock) -> Watch:
    watch = Watch(
        seen.progress,
        seen.in_flight,
        silence_seconds=90,
        stream_error=lambda: seen.stream_error,
        skew_seconds=lambda: seen.skew_seconds,
        clock=clock,
    )
    watch.phase = None
    return watch


def test_a_start_says_what_it_waits_for(watch: Watch) -> None:
    watch.phase = "waiting for the broker"
    assert watch.reasons() == ["waiting for the broker"]


def test_it_is_ok_while_events_come(watch: Watch, seen: Seen, clock: Clock) -> None:
    for _ in range(10):
        clock.now += 60
        seen.progress.events += 1
        assert watch.reasons() == []


def test_silence_is_named_with_its_length_and_cause(watch: Watch, seen: Seen, clock: Clock) -> None:
    seen.progress.events = 1
    assert watch.reasons() == []
    clock.now = 95
    seen.stream_error = "HTTP 503"
    assert watch.reasons() == ["no event for 95 s: HTTP 503"]


def test_a_stream_that_was_never_reached_is_said_at_once(watch: Watch, seen: Seen) -> None:
    seen.stream_error = "no route to host"
    assert watch.reasons() == ["no event for 0 s: no route to host"]


def test_a_short_interruption_is_ok(watch: Watch, seen: Seen, clock: Clock) -> None:
    seen.progress.events = 1
    watch.observe()
    seen.stream_error = "ended"
    clock.now = 10
    assert watch.reasons() == []


def test_a_broker_that_acknowledges_nothing_is_named(watch: Watch, seen: Seen, clock: Clock) -> None:
    seen.in_flight.published = 7
    for clock.now in range(0, 41, 10):
        seen.progress.events += 1
        watch.observe()
    assert watch.reasons() == ["broker unreachable for 40 s: 7 records wait for it"]
    seen.in_flight.acknowledged = 1
    assert watch.reasons() == []


def test_a_stream_that_waits_for_the_broker_is_not_silent(watch: Watch, seen: Seen, clock: Clock) -> None:
    seen.progress.events, seen.in_flight.published = 1, 7
    watch.observe()
    clock.now = 100
    assert watch.reasons() == ["broker unreachable for 100 s: 7 records wait for it"]
    seen.stream_error = "HTTP 503"
    assert watch.reasons()[1] == "no event for 100 s: HTTP 503"


def test_nothing_in_flight_is_no_silence_of_the_broker(watch: Watch, seen: Seen, clock: Clock) -> None:
    for clock.now in range(0, 500, 10):
        seen.progress.events += 1
        assert watch.reasons() == []


@pytest.mark.parametrize(
    ("skew", "reasons", "notes"),
    [
        (None, [], []),
        (59.9, [], []),
        (-59.9, [], []),
        (61.0, [], ["our clock is 61 s behind the stream's: set it by a time server"]),
        (-299.0, [], ["our clock is 299 s ahead of the stream's: set it by a time server"]),
        (301.0, ["our clock is 301 s behind the stream's: set it by a time server"], []),
        (-3600.0, ["our clock is 3600 s ahead of the stream's: set it by a time server"], []),
    ],
)
def test_a_wrong_clock_is_noted_and_a_very_wrong_one_is_not_ok(
    watch: Watch, seen: Seen, skew: float | None, reasons: list[str], notes: list[str]
) -> None:
    seen.skew_seconds = skew
    assert (watch.reasons(), watch.notes()) == (reasons, notes)
