"""Spans of time that nobody watched: joined and cut, held against sets of single moments."""

from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from wiki_common.coverage import Gap
from wiki_web.data.gaps import BEFORE_ALL, Span, counting_since, cut, joined, nothing_known, span_of

SPANS = st.lists(st.builds(Span, st.one_of(st.integers(0, 20), st.just(BEFORE_ALL)), st.integers(0, 20)))


def moments(spans: list[Span] | tuple[Span, ...]) -> set[int]:
    """The whole numbers in (start, end] of each."""
    return {moment for span in spans for moment in range(max(span.start_us, -5) + 1, span.end_us + 1)}


@given(SPANS)
def test_joined_spans_are_the_same_moments_in_order_and_apart(spans: list[Span]) -> None:
    found = joined(spans, -6)
    assert moments(found) == moments(spans)
    assert all(earlier.end_us < later.start_us for earlier, later in pairwise(found))
    assert joined(found, -6) == found


@given(SPANS, st.integers(0, 20))
def test_what_ends_before_the_horizon_is_forgotten(spans: list[Span], horizon: int) -> None:
    found = moments(joined(spans, horizon))
    assert {moment for moment in found if moment > horizon} == {
        moment for moment in moments(spans) if moment > horizon
    }


@given(SPANS, st.integers(0, 20), st.integers(1, 20))
def test_what_is_cut_lies_in_the_window_and_nothing_is_known_where_all_of_it_is_a_gap(
    spans: list[Span], start: int, length: int
) -> None:
    gaps, window = joined(spans, -6), set(range(start + 1, start + length + 1))
    assert moments(cut(gaps, start, start + length)) == moments(gaps) & window
    assert nothing_known(gaps, start, start + length) == (window <= moments(gaps))


def test_watching_began_where_the_span_without_a_start_ends_if_that_is_in_the_window() -> None:
    gaps = joined([Span(BEFORE_ALL, 10), Span(15, 17)], 0)
    assert [counting_since(gaps, start, start + 5) for start in (4, 5, 9, 10, 14)] == [
        None,
        10,
        10,
        None,
        None,
    ]


def test_a_gap_without_a_start_begins_where_others_had_counted_to() -> None:
    gap = Gap(None, datetime.fromtimestamp(9, UTC))
    assert span_of(gap, None) == Span(BEFORE_ALL, 9_000_000)
    assert span_of(gap, 4_000_000) == Span(4_000_000, 9_000_000)
    assert span_of(Gap(datetime.fromtimestamp(1, UTC), gap.end), 4_000_000) == Span(1_000_000, 9_000_000)
