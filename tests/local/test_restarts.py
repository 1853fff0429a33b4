from local_stack.restarts import PAUSES, RECOVERED_AFTER, WELL_AFTER, Restarts


def _fail_in_a_row(restarts: Restarts, times: int, *, lived: float, now: float = 0.0) -> list[float]:
    """The pauses between a service's ends and its next starts."""
    pauses = []
    for _ in range(times):
        restarts.started(now)
        now += lived
        restarts.ended(now)
        assert not restarts.is_due(now + restarts.pause() - 0.1)
        assert restarts.is_due(now + restarts.pause())
        pauses.append(restarts.pause())
        now += restarts.pause()
    return pauses


def test_a_service_that_keeps_failing_is_tried_ever_more_seldom_and_never_given_up() -> None:
    pauses = _fail_in_a_row(Restarts(), 50, lived=3)
    assert pauses[: len(PAUSES)] == list(PAUSES)
    assert pauses == sorted(pauses)
    assert pauses[-1] == 60


def test_one_that_ends_after_it_has_recovered_is_started_soon() -> None:
    restarts = Restarts()
    _fail_in_a_row(restarts, 10, lived=3)
    assert _fail_in_a_row(restarts, 1, lived=RECOVERED_AFTER, now=1000) == [PAUSES[0]]


def test_one_that_ends_each_time_after_a_minute_has_not_recovered() -> None:
    restarts = Restarts()
    assert _fail_in_a_row(restarts, 6, lived=62) == list(PAUSES)
    assert restarts.failures == 6


def test_a_recovery_is_told_once_and_only_after_a_failure() -> None:
    restarts = Restarts()
    restarts.started(0)
    assert not restarts.recovers(1000)
    restarts.ended(1000)
    assert not restarts.recovers(2000)
    restarts.started(2000)
    assert not restarts.recovers(2000 + RECOVERED_AFTER - 1)
    assert restarts.recovers(2000 + RECOVERED_AFTER)
    assert not restarts.recovers(3000)


def test_one_that_runs_is_not_started_again() -> None:
    restarts = Restarts()
    restarts.started(0)
    assert not restarts.is_due(1000)
    assert not restarts.waits


def test_one_that_is_killed_while_it_runs_well_has_not_failed() -> None:
    restarts = Restarts()
    for start in range(0, 1000, 20):
        restarts.started(start)
        restarts.ended(start + WELL_AFTER, from_outside=True)
        assert (restarts.failures, restarts.pause()) == (0, PAUSES[0])


def test_one_that_is_killed_soon_after_each_start_is_tried_more_seldom_but_has_not_failed_itself() -> None:
    restarts = Restarts()
    for start in range(0, 100, 20):
        restarts.started(start)
        restarts.ended(start + WELL_AFTER - 1, from_outside=True)
    assert (restarts.failures, restarts.own_failures) == (5, 0)
