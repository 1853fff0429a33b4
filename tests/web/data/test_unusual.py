"""How surprising changes are: the formula against exact probabilities, and the order of titles."""

from dataclasses import replace
from math import exp, lgamma, log
from typing import Any

import pytest

from web.committed import NOON
from web.data.usual import A_WEEK, Counts, baseline_rows
from wiki_web.data.baseline import Baseline
from wiki_web.data.gaps import Span
from wiki_web.data.rows import microseconds
from wiki_web.data.unusual import Unusual, compared, most_unusual, surprise

HOUR_US = 3_600_000_000
NOON_US = microseconds(NOON)
A_WEEK_HOURS = 168


def negative_binomial(changes: int, mean: float, shape: float) -> float:
    """The probability of so many changes."""
    coefficient = lgamma(changes + shape) - lgamma(changes + 1) - lgamma(shape)
    return exp(coefficient + shape * log(shape / (shape + mean)) + changes * log(mean / (shape + mean)))


def mixed(changes: int, shape: float, hours: float, window: float) -> float:
    """The same, as a Poisson distribution with each rate as likely as its Gamma makes it, added up."""
    steps, highest = 200_000, 60 / hours
    total = 0.0
    for step in range(steps):
        rate = (step + 0.5) * highest / steps
        gamma = shape * log(hours) + (shape - 1) * log(rate) - hours * rate - lgamma(shape)
        total += exp(gamma - rate * window + changes * log(rate * window) - lgamma(changes + 1))
    return total * highest / steps


@pytest.mark.parametrize(("changes", "shape"), [(0, 2.25), (1, 2.25), (3, 2.25), (5, 11.0)])
def test_a_rate_that_is_not_known_exactly_gives_a_negative_binomial(changes: int, shape: float) -> None:
    exact = negative_binomial(changes, shape / 189 * 24, shape)
    assert mixed(changes, shape, 189, 24) == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("changes", [1, 2, 7, 60])
@pytest.mark.parametrize(("usual", "shape"), [(0.0007, 0.25), (0.3, 100.25), (0.99, 333.0)])
def test_it_is_how_much_likelier_the_changes_are_at_their_own_rate(
    changes: int, usual: float, shape: float
) -> None:
    own, expected = (log(negative_binomial(changes, mean, shape)) for mean in (changes, usual))
    assert surprise(changes, usual, shape) == pytest.approx(own - expected)
    assert surprise(changes + 1, usual, shape) > surprise(changes, usual, shape) > 0


def test_what_is_usual_is_no_surprise() -> None:
    assert [surprise(changes, 3, 10) for changes in (0, 1, 3)] == [0, 0, 0]
    assert surprise(4, 3, 10) > 0


def row(title: str, counted: int, **more: Any) -> dict[str, Any]:
    return {"wiki": "enwiki", "title": title, "namespace": 0, "counted": counted, "last_us": NOON_US, **more}


def unusual(
    counts: Counts,
    *rows: dict[str, Any],
    after_us: int = NOON_US,
    until_us: int = NOON_US + HOUR_US,
    gaps: tuple[Span, ...] = (),
    limit: int = 20,
    least: int = 1,
) -> list[Unusual]:
    baseline = Baseline(replace(A_WEEK, least_changes=least), [baseline_rows(counts)])
    return most_unusual(rows, compared(baseline, after_us, until_us, gaps), limit)


COUNTS: Counts = {("enwiki", "Busy"): 3360, ("enwiki", "Some"): 8}
"""Twenty times an hour, and eight times in the week."""


def test_an_hour_of_a_title_is_compared_with_its_week_and_titles_like_it() -> None:
    """English articles that were changed at all were changed twice."""
    new, some, busy = unusual(COUNTS, row("Busy", 30), row("New", 5), row("Some", 5))
    assert [each.row["title"] for each in (new, some, busy)] == ["New", "Some", "Busy"]
    hours = A_WEEK_HOURS * 9 / 8
    for each, shape, changes in ((new, 0.25, 5), (some, 8.25, 5), (busy, 3360.25, 30)):
        assert each.usual == pytest.approx(shape / hours, rel=0.005)
        assert each.surprise == round(surprise(changes, shape / hours, shape), 2)
        assert each.before == round(shape - 0.25)
    assert [each.rank for each in (new, some, busy)] == [1, 2, 3]


def test_what_is_not_changed_more_than_usual_is_not_listed() -> None:
    assert unusual(COUNTS, row("Busy", 17)) == []


def test_a_window_in_the_week_itself_is_compared_with_the_rest_of_it() -> None:
    """Else what happened would be usual for that it happened."""
    (found,) = unusual(COUNTS, row("Some", 5), after_us=NOON_US - 2 * HOUR_US, until_us=NOON_US - HOUR_US)
    assert found.before == 3
    assert found.usual == pytest.approx(3.25 / ((A_WEEK_HOURS - 1) * 9 / 8), rel=0.005)


def test_of_a_window_that_ends_after_the_week_the_shared_part_is_taken_out() -> None:
    (found,) = unusual(COUNTS, row("Some", 6), after_us=NOON_US - HOUR_US, until_us=NOON_US + 2 * HOUR_US)
    assert found.before == 6
    assert found.usual == pytest.approx(3 * 6.25 / ((A_WEEK_HOURS - 1) * 9 / 8), rel=0.005)


def test_where_nobody_watched_nothing_is_expected() -> None:
    gap = Span(NOON_US, NOON_US + HOUR_US // 2)
    (found,) = unusual(COUNTS, row("Some", 5), gaps=(gap,))
    assert found.usual == pytest.approx(8.25 / (A_WEEK_HOURS * 9 / 8) / 2, rel=0.005)


def test_a_title_without_a_row_may_have_had_nearly_as_many_changes_as_one_with_a_row() -> None:
    (found,) = unusual(COUNTS, row("New", 5), least=3)
    assert found.usual == pytest.approx(2.25 / (A_WEEK_HOURS * 9 / 8), rel=0.005)
    assert found.before is None


def test_equal_surprises_share_a_rank_in_a_fixed_order() -> None:
    rows = [row("B", 3), row("A", 3), row("C", 3, last_us=NOON_US + 1), row("D", 2), row("A", 3, wiki=None)]
    found = unusual({}, *rows, limit=4)
    assert [(each.rank, each.row["title"], each.row["wiki"]) for each in found] == [
        (1, "C", "enwiki"),
        (1, "A", None),
        (1, "A", "enwiki"),
        (1, "B", "enwiki"),
    ]
    assert unusual({}, *rows)[-1].rank == 5


@pytest.mark.parametrize(
    ("baseline", "until_us"),
    [
        (None, NOON_US),
        (Baseline(A_WEEK, [baseline_rows({})]), NOON_US + 25 * HOUR_US),
        (Baseline(replace(A_WEEK, watched_seconds=1.5 * 3600), [baseline_rows({})]), NOON_US),
    ],
    ids=["none", "of yesterday", "hardly more than the window"],
)
def test_without_anything_to_compare_with_the_most_changed_come_first(
    baseline: Baseline | None, until_us: int
) -> None:
    with_what = compared(baseline, until_us - HOUR_US, until_us, ())
    assert with_what is None
    found = most_unusual([row("A", 2), row("B", 3)], with_what, 20)
    assert [(each.row["title"], each.rank) for each in found] == [("B", 1), ("A", 2)]
    assert {(each.usual, each.surprise, each.before) for each in found} == {(None, None, None)}


def test_a_window_without_a_watched_moment_is_compared_with_nothing() -> None:
    baseline = Baseline(A_WEEK, [baseline_rows({})])
    assert compared(baseline, NOON_US, NOON_US + HOUR_US, (Span(NOON_US - 1, NOON_US + HOUR_US),)) is None
