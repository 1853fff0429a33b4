from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiki_producer.stream.clock import StreamClock

TRUE = 1_795_474_801.0


class Machine:
    """A machine whose clock is ahead by `wrong_by`; its monotonic one stood still for `slept` seconds."""

    def __init__(self) -> None:
        self.true = TRUE
        self.wrong_by = 0.0
        self.slept = 0.0
        self.clock = StreamClock(
            wall=lambda: self.true + self.wrong_by, monotonic=lambda: self.true - TRUE - self.slept
        )

    def answer(self) -> None:
        self.clock.answered(formatdate(self.true, usegmt=True))

    def read(self, seconds: int, *, late: float = 1.5, wrong: dict[int, float] | None = None) -> None:
        """Read events for so long, each `late` after it happened; those in `wrong` have a wrong time."""
        for second in range(seconds):
            self.true += 1
            at = self.true - late + (wrong or {}).get(second, 0.0)
            self.clock.looked_at(int(at * 1000))

    @property
    def skew(self) -> float | None:
        found = self.clock.skew_seconds
        return None if found is None else round(found)


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_nothing_is_known_before_the_first_answer(machine: Machine) -> None:
    assert machine.skew is None
    assert machine.clock.now() == TRUE


@pytest.mark.parametrize("wrong_by", [0, 600, -600, 2 * 10**9])
def test_the_date_of_the_answer_says_how_wrong_our_clock_is(machine: Machine, wrong_by: float) -> None:
    machine.wrong_by = wrong_by
    machine.answer()
    machine.true += 100
    assert machine.skew is not None
    assert abs(machine.skew + wrong_by) <= 1
    assert abs(machine.clock.now() - machine.true) <= 1


@pytest.mark.parametrize("wrong_by", [0.0, 0.9, -0.9])
def test_a_date_of_whole_seconds_does_not_move_a_clock_that_is_right(
    machine: Machine, wrong_by: float
) -> None:
    machine.true += 0.95
    machine.wrong_by = wrong_by
    machine.answer()
    assert machine.clock.skew_seconds == 0.0


def test_a_clock_that_is_set_right_is_right_at_once(machine: Machine) -> None:
    machine.wrong_by = -600
    machine.answer()
    machine.read(60)
    machine.wrong_by = 0
    assert machine.skew in {0, 1}


def test_events_tell_what_a_machine_has_slept_through_without_losing_its_connection(machine: Machine) -> None:
    machine.answer()
    machine.read(30)
    machine.true += 600
    machine.slept = 600
    machine.wrong_by = -600
    machine.read(20)
    assert machine.skew is not None
    assert 597 <= machine.skew <= 600
    machine.answer()
    assert machine.skew in {600, 601}


def test_without_a_date_events_of_the_future_tell(machine: Machine) -> None:
    machine.wrong_by = -600
    machine.read(3)
    assert machine.clock.skew_seconds is None, "too few"
    machine.read(10)
    assert machine.skew is not None
    assert 597 <= machine.skew <= 600


def test_old_events_do_not_move_the_clock(machine: Machine) -> None:
    machine.read(30, late=3600)
    assert machine.skew is None
    machine.answer()
    machine.read(30, late=3600)
    assert machine.skew in {0, 1}


def test_a_few_events_of_a_wrong_time_do_not_move_the_clock(machine: Machine) -> None:
    machine.answer()
    machine.read(47, wrong=dict.fromkeys(range(40, 45), 240.0))
    assert machine.skew in {0, 1}


def test_one_event_that_is_seen_again_and_again_is_one_look(machine: Machine) -> None:
    for _ in range(20):
        machine.true += 1
        machine.clock.looked_at(int((TRUE + 600) * 1000))
    assert machine.skew is None


@pytest.mark.parametrize(
    "date", [None, "", "now", "Mon, 23 Nov 99999 23:01:30 GMT", "Mon, 23 Nov 2026 23:01:30 +99999999999999"]
)
def test_a_date_that_cannot_be_read_is_ignored(machine: Machine, date: str | None) -> None:
    machine.clock.answered(date)
    assert machine.skew is None


@given(st.text())
def test_any_date_is_read_or_ignored(date: str) -> None:
    StreamClock().answered(date)
