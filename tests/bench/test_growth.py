"""What age costs, as ratios."""

from benchmarks.batches import Pace
from benchmarks.costs import Cost
from benchmarks.growth import ratios

_COST = Cost(3, 1.0, 0, 0, {})


def test_an_old_volume_is_compared_with_a_new_one() -> None:
    new = Pace((0.25, 0.25, 0.25), 30, 100e6, 3, _COST)
    old = Pace((0.25, 0.375, 0.375), 30, 105e6, 3, _COST)
    batch, slowest, memory = ratios("7 days", old, new)
    assert (batch.name, batch.values) == ("batch, 7 days : new", (1.5,))
    assert batch.goal is not None
    assert not batch.goal.is_met(batch.median)
    assert slowest.values == (1.5,)
    assert memory.goal is not None
    assert memory.goal.is_met(memory.median)
