"""Times that nobody watched are not known: null, never zero, and told in each answer."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from web.committed import NOON, Change, CommittedChanges, changes_table
from web.data.held import HOUR, document
from wiki_common.coverage import Coverage, Gap
from wiki_web.data.answer_cache import AnswerCache
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.engines.engine import Engine
from wiki_web.data.queries import Kind, Query
from wiki_web.data.store import Store

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
FIVE = Query("timeline", 5 * MINUTE, 20)


@pytest.fixture
def store(committed: CommittedChanges, duckdb_engine: DuckDBEngine) -> Store:
    """On DuckDB: what is not known is found out in Python, for both engines alike."""
    return Store(committed.data_dir, duckdb_engine, HOUR)


def asked(store: Store, query: Query = FIVE) -> dict[str, Any]:
    store.refresh()
    return document(AnswerCache(store, query).get(query).answer)


def per_minute(store: Store) -> list[int | None]:
    return [bucket["changes"] for bucket in asked(store)["minutes"]]


def gaps(store: Store) -> list[tuple[str, str]]:
    """From and to, as hours, minutes and seconds."""
    return [(gap["from"][11:19], gap["to"][11:19]) for gap in asked(store)["gaps"]]


def held(store: Store) -> int:
    store.refresh()
    return len(store.position.gaps) if store.position else 0


def began(end: datetime) -> Gap:
    return Gap(None, end)


def test_both_engines_tell_what_is_not_known(committed: CommittedChanges, engine: Engine) -> None:
    store = Store(committed.data_dir, engine, HOUR)
    covered = Coverage(NOON, (Gap(NOON - 4 * MINUTE, NOON - 2 * MINUTE),))
    committed.commit(Change(NOON - SECOND, "A"), Change(NOON - 5 * MINUTE + SECOND, "A"), covered=covered)
    found = asked(store)
    assert [bucket["changes"] for bucket in found["minutes"]] == [1, None, None, 0, 1]
    assert found["minutes"][1] == {
        "from": "2026-03-01T11:56:00Z",
        "to": "2026-03-01T11:57:00Z",
        "changes": None,
        "editors": None,
        "bytes": None,
    }
    assert found["gaps"] == [{"from": "2026-03-01T11:56:00Z", "to": "2026-03-01T11:58:00Z"}]
    assert found["counting_since"] is None
    (title,) = asked(store, Query("top", 5 * MINUTE, 20))["titles"]
    assert title["per_minute"] == [1, None, None, 0, 1]


def test_before_the_first_start_nothing_is_known_and_it_says_since_when_it_counts(
    store: Store, committed: CommittedChanges
) -> None:
    committed.commit(covered=Coverage(NOON, (began(NOON - 90 * SECOND),)))
    assert per_minute(store) == [None, None, None, 0, 0]
    assert gaps(store) == [("11:55:00", "11:58:30")]
    assert asked(store)["counting_since"] == "2026-03-01T11:58:30Z"
    committed.commit(covered=Coverage(NOON + 4 * MINUTE))
    assert (gaps(store), asked(store)["counting_since"]) == ([], None)


@pytest.mark.parametrize("kind", ["top", "timeline", "changes", "editors"])
def test_answers_of_every_kind_tell_the_gaps_of_their_window(
    store: Store, committed: CommittedChanges, kind: Kind
) -> None:
    covered = Coverage(NOON, (began(NOON - 40 * MINUTE), Gap(NOON - 7 * MINUTE, NOON - 3 * MINUTE)))
    committed.commit(Change(NOON), covered=covered)
    short, long = (asked(store, Query(kind, minutes * MINUTE, 20)) for minutes in (5, 50))
    assert [gap["to"] for gap in short["gaps"]] == ["2026-03-01T11:57:00Z"]
    assert [gap["from"] for gap in short["gaps"]] == ["2026-03-01T11:55:00Z"]
    assert [gap["to"] for gap in long["gaps"]] == ["2026-03-01T11:20:00Z", "2026-03-01T11:57:00Z"]
    assert (short["counting_since"], long["counting_since"]) == (None, "2026-03-01T11:20:00Z")


def test_what_was_counted_in_a_gap_all_the_same_is_shown(store: Store, committed: CommittedChanges) -> None:
    """The first events tell of changes that are some seconds older. So the buckets add up to the totals."""
    covered = Coverage(NOON, (began(NOON - 2 * MINUTE),))
    committed.commit(Change(NOON - 2 * MINUTE - SECOND, "A"), covered=covered)
    assert per_minute(store) == [None, None, 1, 0, 0]


def test_gaps_are_held_for_as_long_as_they_can_be_shown(store: Store, committed: CommittedChanges) -> None:
    committed.commit(covered=Coverage(NOON - 50 * MINUTE, (Gap(NOON - 58 * MINUTE, NOON - 55 * MINUTE),)))
    committed.commit(covered=Coverage(NOON, (Gap(NOON - 4 * MINUTE, NOON - 3 * MINUTE),)))
    assert held(store) == 2
    committed.commit(covered=Coverage(NOON + 10 * MINUTE))
    assert held(store) == 1
    assert gaps(store) == []
    assert len(asked(store, Query("top", HOUR, 20))["gaps"]) == 1


def test_gaps_of_closed_hours_are_read_at_a_start(store: Store, committed: CommittedChanges) -> None:
    early = began(NOON - 130 * MINUTE)
    lost = Gap(NOON - 90 * MINUTE, NOON - 30 * MINUTE)
    committed.close_hour(NOON - 3 * HOUR, [Change(NOON - 125 * MINUTE)], covered=Coverage(None, (early,)))
    committed.close_hour(NOON - HOUR, [Change(NOON - MINUTE)], covered=Coverage(None, (lost,)))
    committed.commit(covered=Coverage(NOON + MINUTE))
    assert asked(store, Query("top", 50 * MINUTE, 20))["gaps"] == [
        {"from": "2026-03-01T11:11:00Z", "to": "2026-03-01T11:30:00Z"}
    ]
    # The same gap may be in its hour's file and in raw files that aren't deleted yet.
    committed.commit(covered=Coverage(NOON + MINUTE, (lost,)))
    assert len(asked(store, Query("top", 50 * MINUTE, 20))["gaps"]) == 1


def test_history_alone_has_its_gaps(store: Store, committed: CommittedChanges) -> None:
    covered = Coverage(None, (Gap(NOON - 40 * MINUTE, NOON - 30 * MINUTE),))
    committed.close_hour(NOON - HOUR, [Change(NOON - MINUTE)], covered=covered)
    assert len(asked(store, Query("top", HOUR, 20))["gaps"]) == 1


def test_a_topic_that_begins_anew_makes_nothing_unknown_that_was_counted_before(
    store: Store, committed: CommittedChanges, duckdb_engine: DuckDBEngine
) -> None:
    """Its first footer knows of nothing before; web does, at a start and while it follows."""
    committed.commit(Change(NOON - 4 * MINUTE), covered=Coverage(NOON - 3 * MINUTE))
    store.refresh()
    committed.begin_anew()
    committed.commit(covered=Coverage(NOON, (began(NOON - MINUTE),)))
    for found in (store, Store(committed.data_dir, duckdb_engine, HOUR)):
        assert gaps(found) == [("11:57:00", "11:59:00")]
        assert asked(found)["counting_since"] is None


def test_after_closed_hours_a_topic_that_begins_anew_makes_them_no_unknown_times(
    store: Store, committed: CommittedChanges
) -> None:
    committed.close_hour(NOON - HOUR, [Change(NOON - 4 * MINUTE)])
    committed.commit(covered=Coverage(NOON + 3 * MINUTE, (began(NOON + 2 * MINUTE),)))
    assert gaps(store) == [("12:00:00", "12:02:00")]


def test_an_hour_with_nothing_but_late_changes_does_not_count_as_watched(
    store: Store, committed: CommittedChanges
) -> None:
    """A first start just after the full hour: its first changes are dated before."""
    committed.close_hour(NOON - HOUR, [Change(NOON - SECOND)])
    committed.commit(covered=Coverage(NOON + MINUTE, (began(NOON + 9 * SECOND),)))
    assert gaps(store) == [("11:56:00", "12:00:09")]
    assert asked(store)["counting_since"] == "2026-03-01T12:00:09Z"


def test_without_any_footer_times_without_rows_are_zeros(store: Store, committed: CommittedChanges) -> None:
    """A volume of an older version, that never told."""
    committed.commit_table(changes_table([Change(NOON)]), at=NOON.timestamp())
    assert per_minute(store) == [0, 0, 0, 0, 1]
    assert gaps(store) == []
