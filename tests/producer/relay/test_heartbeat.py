"""When heartbeats are due, and what they say."""

import json
from importlib.resources import files

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.events import CANARY, EDIT, edit, sse_id
from wiki_producer.relay.decide import Dropped, DropReason, decider
from wiki_producer.relay.heartbeat import MOST_PER_ROUND, Heartbeat, Heartbeats, received_ms, rfc3339
from wiki_producer.stream.position import Live, Since, parse_position
from wiki_producer.stream.progress import Progress

NOW = received_ms(edit()) or 0
validator = jsonschema.Draft202012Validator(
    json.loads((files("wiki_producer.relay") / "heartbeat.schema.json").read_text(encoding="utf-8")),
    format_checker=jsonschema.FormatChecker(),
)


class Reading:
    """A reading of the stream, whose clock goes with the monotonic one."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.progress = Progress()
        self.heartbeats = Heartbeats(self.now_ms, monotonic=lambda: self.seconds)

    def now_ms(self) -> int:
        return NOW + round(self.seconds * 1000)

    def read(self, at: int, *, dt: int | None = None) -> None:
        """An event at this position (ms), received at the same time or at `dt`."""
        self.progress.last_event_id = sse_id(at)
        self.progress.last_data = edit(meta={**EDIT["meta"], "dt": rfc3339(at if dt is None else dt)})

    def due(self, after_seconds: float) -> Heartbeat | None:
        self.seconds += after_seconds
        return self.heartbeats.due(self.progress)


@pytest.fixture
def reading() -> Reading:
    return Reading()


def test_a_heartbeat_says_how_far_was_read_once_a_second(reading: Reading) -> None:
    reading.read(NOW - 500)
    assert reading.due(0.9) is None
    assert reading.due(0.2) == Heartbeat(NOW - 500, sse_id(NOW - 500))
    reading.read(NOW + 400)
    assert reading.due(0.9) is None
    assert reading.due(0.2) == Heartbeat(NOW + 400, sse_id(NOW + 400))


def test_none_is_due_while_changes_are_published(reading: Reading) -> None:
    for second in range(5):
        reading.read(NOW + second * 900)
        reading.heartbeats.published(sse_id(NOW + second * 900))
        assert reading.due(0.9) is None
    reading.read(NOW + 4000)
    assert reading.due(0.2) is not None


def test_none_is_due_before_something_newer_was_read(reading: Reading) -> None:
    assert reading.due(60) is None
    reading.read(NOW)
    reading.heartbeats.published(sse_id(NOW))
    assert reading.due(60) is None, "the change has told it"
    reading.read(NOW - 1500)
    assert reading.due(60) is None, "read again after a reconnect"
    reading.read(NOW + 1)
    assert reading.due(60) is not None
    assert reading.due(60) is None


def test_an_event_that_is_dated_ahead_does_not_speak_for_the_future(reading: Reading) -> None:
    reading.read(NOW, dt=NOW + 240_000)
    assert reading.due(1) == Heartbeat(NOW + 1000, sse_id(NOW))
    reading.read(NOW + 2500)
    assert reading.due(2) == Heartbeat(NOW + 2500, sse_id(NOW + 2500))


def test_the_time_never_goes_back(reading: Reading) -> None:
    reading.read(NOW, dt=NOW)
    assert reading.due(1) == Heartbeat(NOW, sse_id(NOW))
    reading.read(NOW + 500, dt=NOW - 60_000)
    assert reading.due(1) == Heartbeat(NOW, sse_id(NOW + 500))


@pytest.mark.parametrize("data", ["rubbish", "[" * 99_999, "{}", '{"meta":{"dt":5}}', '{"meta":{"dt":"x"}}'])
def test_an_event_without_a_time_says_none(reading: Reading, data: str) -> None:
    reading.progress.last_event_id, reading.progress.last_data = sse_id(NOW), data
    assert received_ms(data) is None
    assert reading.due(60) is None


def test_a_position_that_cannot_be_read_says_nothing(reading: Reading) -> None:
    reading.read(NOW)
    reading.progress.last_event_id = "rubbish"
    assert reading.due(60) is None


def test_upstreams_canaries_say_how_far_the_stream_is() -> None:
    assert received_ms(json.dumps(CANARY)) == received_ms(edit(meta={"dt": CANARY["meta"]["dt"]}))  # type: ignore[index]


def test_coverage_after_a_gap_begins_at_the_time_that_was_asked_for(reading: Reading) -> None:
    found = reading.heartbeats.begun(Since(NOW - 5000), edit(), sse_id(NOW))
    assert (found.dt_ms, found.covered_from_ms) == (NOW - 5000, NOW - 5000)
    assert parse_position(found.last_event_id).timestamp < NOW
    reading.read(NOW)
    assert reading.due(1) == Heartbeat(NOW, sse_id(NOW)), "the first event is told once it was read"


def test_coverage_after_an_empty_topic_begins_with_the_first_event(reading: Reading) -> None:
    found = reading.heartbeats.begun(Live(), edit(), sse_id(NOW))
    assert (found.dt_ms, found.covered_from_ms) == (NOW, NOW)


def test_coverage_begins_now_if_the_first_event_has_no_time(reading: Reading) -> None:
    reading.seconds = 7
    assert reading.heartbeats.begun(Live(), "rubbish", "rubbish") == Heartbeat(
        NOW + 7000, "rubbish", NOW + 7000
    )


@given(partitions=st.integers(1, 100))
def test_partitions_take_turns_and_few_are_served_at_once(partitions: int) -> None:
    heartbeats, numbers = Heartbeats(lambda: NOW), list(range(partitions))
    rounds = [heartbeats.turn(numbers) for _ in range(-(-partitions // MOST_PER_ROUND))]
    assert all(len(each) == len(set(each)) == min(partitions, MOST_PER_ROUND) for each in rounds)
    assert {number for each in rounds for number in each} == set(numbers)


def test_added_partitions_have_their_turn() -> None:
    heartbeats = Heartbeats(lambda: NOW)
    heartbeats.turn([0, 1, 2])
    assert set(heartbeats.turn([0, 1, 2, 3])) == {0, 1, 2, 3}


@given(ms=st.integers(0, 4_000_000_000_000))
def test_a_heartbeat_is_valid_and_a_canary_with_its_time(ms: int) -> None:
    value = Heartbeat(ms, sse_id(ms)).value()
    validator.validate(json.loads(value))
    assert received_ms(value.decode()) == ms
    assert decider(["*"])(value.decode()) == Dropped(DropReason.CANARY)


def test_each_heartbeat_has_an_id_of_its_own() -> None:
    heartbeat = Heartbeat(NOW, sse_id(NOW))
    assert heartbeat.value() != heartbeat.value()


@pytest.mark.parametrize("value", [EDIT, {}, CANARY])
def test_the_schema_refuses_what_is_no_heartbeat(value: object) -> None:
    assert not validator.is_valid(value)
