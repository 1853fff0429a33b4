from datetime import UTC, datetime, timedelta

from wiki_common.coverage import Gap
from wiki_consumer.volume.gaps import joined, without_known

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def gap(start: float | None, end: float) -> Gap:
    """In minutes after NOON."""
    return Gap(None if start is None else NOON + timedelta(minutes=start), NOON + timedelta(minutes=end))


def test_gaps_that_touch_are_one() -> None:
    assert joined([]) == ()
    assert joined([gap(30, 40), gap(0, 10)]) == (gap(0, 10), gap(30, 40))
    assert joined([gap(10, 20), gap(0, 10), gap(15, 17)]) == (gap(0, 20),)
    assert joined([gap(0, 10), gap(11, 20)]) == (gap(0, 10), gap(11, 20))


def test_one_without_a_start_takes_in_what_is_before_its_end() -> None:
    assert joined([gap(0, 10), gap(None, 5), gap(None, 3), gap(20, 30)]) == (gap(None, 10), gap(20, 30))


def test_a_gap_is_known_if_all_of_it_is() -> None:
    known = [gap(0, 10), gap(10, 20)]
    within, over, before = gap(5, 15), gap(15, 25), gap(None, 5)
    assert without_known([within, over, before, gap(0, 20)], known) == (over, before)
    assert without_known([within], []) == (within,)
