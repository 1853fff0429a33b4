"""Tests that feed a service with whatever may come: each run tries the same, so that CI is repeatable."""

from typing import TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

ValueT = TypeVar("ValueT")


def tries(examples: int) -> settings:
    """A decorator above `given`: so many examples. Fixtures are shared by all of them."""
    return settings(
        max_examples=examples, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
    )


def drawn(values: "SearchStrategy[ValueT]", count: int) -> list[ValueT]:
    """About `count` values, for what takes many of them at once, such as a batch of Spark's."""
    found: list[ValueT] = []

    @tries(count)
    @given(values)
    def draw(value: ValueT) -> None:
        found.append(value)

    draw()
    return found
