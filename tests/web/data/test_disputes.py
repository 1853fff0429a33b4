"""Reverts, as the sizes of a page tell them."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from web.committed import NOON, Change
from web.data.plain_count import reverts_of
from wiki_web.data.disputes import Made, reverts
from wiki_web.data.queries import MAX_SIZE

SECOND = timedelta(seconds=1)


def made(row: Change) -> Made:
    return Made(
        age_us=(NOON - row.event_time) // timedelta(microseconds=1),
        revision_new=row.revision,
        length_old=row.length_old,
        length_new=row.length_new,
        editor=row.user,
    )


def told(story: str) -> list[Change]:
    """`Ada 9>5` is Ada's change from 9 bytes to 5, each change a second after the one before; `-` is null."""
    rows = []
    for number, each in enumerate(story.split(", ")):
        user, sizes = each.split(" ")
        old, new = (None if size == "-" else int(size) for size in sizes.split(">"))
        who = None if user == "-" else user
        rows.append(Change(NOON + number * SECOND, "A", who, length_old=old, length_new=new, revision=number))
    return rows


@pytest.mark.parametrize(
    ("story", "count"),
    [
        ("Ada 9>5", 0),
        ("Ada 9>5, Bob 5>9", 1),  # back to what was there before the first change that is counted
        ("Ada 9>5, Ada 5>9", 0),  # one's own
        ("Ada 9>5, Bob 5>9, Ada 9>5, Bob 5>9", 3),
        ("Ada 9>5, Bob 5>6, Ada 6>9", 1),  # Bob's is undone, too
        ("Ada 9>5, Bob 5>6, Bob 6>5", 0),  # what is undone since the page last had 5 bytes is Bob's own
        ("Ada 9>5, Bob 5>5", 0),
        ("Ada 9>9, Bob 9>9", 0),
        ("Ada ->9, Eve 9>0, Bob 0>9", 1),
        ("Ada 9>5, - 5>9", 0),
        ("- 9>5, Bob 5>9", 0),
        ("- 9>5, Eve 5>4, Bob 4>9", 1),
        ("Ada 9>5, Bob ->9", 0),
        ("Ada 9>5, Bob 5>-", 0),
        ("Ada 9>5, Eve 9>5, Bob 7>5", 0),  # what came in between isn't counted, so nobody knows whose it was
        (f"Ada 9>{MAX_SIZE + 1}, Bob {MAX_SIZE + 1}>9", 0),
    ],
)
def test_a_size_that_comes_back_by_another_hand_is_a_revert(story: str, count: int) -> None:
    rows = told(story)
    assert reverts(map(made, rows)) == count
    assert reverts(map(made, reversed(rows))) == count
    assert reverts_of(rows) == count


def test_of_one_time_the_revision_tells_which_change_was_first() -> None:
    first = Change(NOON, "A", "Ada", length_old=9, length_new=5, revision=7)
    second = Change(NOON, "A", "Bob", length_old=5, length_new=9, revision=8)
    assert reverts(map(made, [second, first])) == 1
    second = Change(NOON, "A", "Bob", length_old=5, length_new=9, revision=6)
    assert reverts(map(made, [second, first])) == 1  # now Ada's is the later one, and brings 5 bytes back
    assert (
        reverts(map(made, [Change(NOON, "A", "Bob", length_old=5, length_new=9, revision=None), first])) == 0
    )


sizes = st.sampled_from([None, 0, 1, 2, MAX_SIZE, MAX_SIZE + 1, -1])


@settings(max_examples=500, deadline=None)
@given(
    rows=st.lists(
        st.builds(
            Change,
            event_time=st.integers(0, 6).map(lambda seconds: NOON - seconds * SECOND),
            title=st.just("A"),
            user=st.sampled_from(["Ada", "Bob", "Eve", None]),
            length_old=sizes,
            length_new=sizes,
            revision=st.sampled_from([None, *range(8)]),
        ),
        max_size=12,
    )
)
def test_any_changes_have_the_reverts_that_comparing_all_with_all_finds(rows: list[Change]) -> None:
    assert reverts(map(made, rows)) == reverts_of(rows)
