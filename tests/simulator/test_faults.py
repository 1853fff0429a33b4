"""Faults by count."""

from stream_simulator.faults import Fault, Faults


def met(faults: Faults, available: int, total: int) -> list[tuple[int, Fault]]:
    """The faults and at which event they happen, while `total` events are taken."""
    taken, found = 0, []
    while taken < total:
        number, fault = faults.take(min(available, total - taken))
        taken += number
        if fault:
            found.append((taken, fault))
    return found


def test_without_faults_all_that_is_available_is_taken() -> None:
    assert Faults().take(500) == (500, None)
    assert Faults(cut_every=1).take(0) == (0, None)


def test_faults_come_at_their_counts_whatever_the_batches() -> None:
    expected = [(4, Fault.RESET), (5, Fault.CUT), (8, Fault.RESET), (10, Fault.CUT)]
    for available in (1, 3, 100):
        assert met(Faults(cut_every=5, reset_every=4), available, 11) == expected


def test_a_stall_comes_once() -> None:
    assert met(Faults(stall_after=3), 100, 50) == [(3, Fault.STALL)]


def test_every_nth_request_is_refused() -> None:
    faults = Faults(refuse_every=3)
    assert [faults.refuses() for _ in range(6)] == [False, False, True, False, False, True]
    assert not Faults().refuses()
