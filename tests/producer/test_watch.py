import pytest

from wiki_producer.counts import Counts
from wiki_producer.watch import Watch


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
def watch(counts: Counts, clock: Clock) -> Watch:
    watch = Watch(counts, silence_seconds=90, clock=clock)
    watch.phase = None
    return watch


def test_a_start_says_what_it_waits_for(watch: Watch) -> None:
    watch.phase = "waiting for the broker"
    assert watch.reasons() == ["waiting for the broker"]


def test_it_is_well_while_events_come(watch: Watch, counts: Counts, clock: Clock) -> None:
    for _ in range(10):
        clock.now += 60
        counts.read += 1
        assert watch.reasons() == []


def test_silence_is_named_with_its_length_and_cause(watch: Watch, counts: Counts, clock: Clock) -> None:
    counts.read = 1
    assert watch.reasons() == []
    clock.now = 95
    watch.stream_error = lambda: "HTTP 503"
    assert watch.reasons() == ["no event for 95 s: HTTP 503"]


def test_a_stream_that_was_never_reached_is_said_at_once(watch: Watch) -> None:
    watch.stream_error = lambda: "no route to host"
    assert watch.reasons() == ["no event for 0 s: no route to host"]


def test_a_short_cut_is_no_illness(watch: Watch, counts: Counts, clock: Clock) -> None:
    counts.read = 1
    watch.observe()
    watch.stream_error = lambda: "ended"
    clock.now = 10
    assert watch.reasons() == []


def test_a_broker_that_acknowledges_nothing_is_named(watch: Watch, counts: Counts, clock: Clock) -> None:
    counts.published = 7
    for clock.now in range(0, 41, 10):
        counts.read += 1
        watch.observe()
    assert watch.reasons() == ["broker unreachable for 40 s: 7 records wait for it"]
    counts.acknowledged = 1
    assert watch.reasons() == []


def test_a_stream_that_waits_for_the_broker_is_not_silent(watch: Watch, counts: Counts, clock: Clock) -> None:
    counts.read, counts.published = 1, 7
    watch.observe()
    clock.now = 100
    assert watch.reasons() == ["broker unreachable for 100 s: 7 records wait for it"]
    watch.stream_error = lambda: "HTTP 503"
    assert watch.reasons()[1] == "no event for 100 s: HTTP 503"


def test_nothing_in_flight_is_no_silence_of_the_broker(watch: Watch, counts: Counts, clock: Clock) -> None:
    for clock.now in range(0, 500, 10):
        counts.read += 1
        assert watch.reasons() == []
