"""Changes and commits whose clocks differ: what is counted, up to when, and which state that is."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from web.committed import NOON, Change, CommittedChanges, changes_table, now
from web.data.held import counted
from wiki_web.data.rows import microseconds
from wiki_web.data.store import Position, Store

SECOND = timedelta(seconds=1)
Refresh = Callable[[], bool]


def as_of(store: Store) -> datetime | None:
    """Up to when changes are counted."""
    position = store.position
    if position is None or position.as_of_us is None:
        return None
    return datetime.fromtimestamp(position.as_of_us / 1_000_000, UTC)


def test_a_change_ahead_of_all_others_moves_no_window_and_counts_in_its_time(
    store: Store, committed: CommittedChanges
) -> None:
    moment = NOON.timestamp()
    committed.commit_table(changes_table([Change(NOON - SECOND, "A")]), at=moment)
    store.refresh()
    committed.commit_table(changes_table([Change(NOON + 240 * SECOND, "ahead")]), at=moment + 1)
    store.refresh()
    assert as_of(store) == NOON + SECOND
    assert counted(store) == {"A": 1}
    committed.commit_table(changes_table([Change(NOON + 200 * SECOND, "A")]), at=moment + 201)
    store.refresh()
    assert as_of(store) == NOON + 201 * SECOND
    assert counted(store) == {"A": 2}
    committed.commit_table(changes_table([]), at=moment + 300)
    store.refresh()
    assert as_of(store) == NOON + 240 * SECOND
    assert counted(store) == {"A": 2, "ahead": 1}


def test_at_a_start_too_a_change_ahead_of_all_others_moves_no_window(
    store: Store, committed: CommittedChanges
) -> None:
    rows = [Change(NOON, "A"), Change(NOON + 240 * SECOND, "ahead")]
    committed.commit_table(changes_table(rows), at=NOON.timestamp() + 1)
    store.refresh()
    assert as_of(store) == NOON + SECOND
    assert counted(store) == {"A": 1}


@pytest.mark.parametrize("year", [1, 1970, 9999])
def test_a_change_of_any_year_ends_nothing(store: Store, committed: CommittedChanges, year: int) -> None:
    odd = Change(datetime(year, 6, 1, tzinfo=UTC), "odd")
    committed.commit_table(changes_table([Change(NOON, "A"), odd]), at=NOON.timestamp() + 1)
    store.refresh()
    committed.commit_table(changes_table([odd, Change(NOON + SECOND, "A")]), at=NOON.timestamp() + 2)
    store.refresh()
    assert counted(store) == {"A": 2}


def test_time_never_goes_back(store: Store, committed: CommittedChanges) -> None:
    committed.commit_table(changes_table([Change(NOON, "A")]), at=NOON.timestamp() + 9)
    store.refresh()
    committed.commit_table(changes_table([Change(NOON - SECOND, "A")]), at=NOON.timestamp() - 9)
    store.refresh()
    assert as_of(store) == NOON


def test_a_position_tells_how_far_clocks_differ() -> None:
    at_noon = Position(1, None, NOON.timestamp(), microseconds(NOON), microseconds(NOON + 90 * SECOND), 0.0)
    assert at_noon.ahead_of(NOON.timestamp()) == 90
    assert at_noon.ahead_of(NOON.timestamp() + 100) == -10


def test_commits_without_changes_are_not_live_and_the_page_says_why(
    client: FlaskClient, committed: CommittedChanges, refresh: Refresh
) -> None:
    """As when the consumer drops everything since its clock is wrong."""
    committed.commit_table(changes_table([Change(now() - 60 * SECOND, "A")]), at=time.time() - 40)
    refresh()
    committed.commit()
    refresh()
    assert client.get("/api/v1/top").get_json()["state"] == "stale"
    assert "No change has been counted since" in client.get("/").text
    ready = client.get("/readyz")
    assert (ready.status_code, ready.text) == (503, "stale: no change in any commit for 40 s\n")
    assert 39 < value_of(client, "wiki_web_empty_commits_seconds") < 45
    committed.commit(Change(now(), "A"))
    refresh()
    assert client.get("/api/v1/top").get_json()["state"] == "live"
    assert "No change has been counted since" not in client.get("/").text
    assert client.get("/readyz").status_code == 200


def test_a_clock_that_differs_is_told_on_the_page_and_in_metrics(
    client: FlaskClient, committed: CommittedChanges, refresh: Refresh
) -> None:
    committed.commit(Change(now(), "A"))
    refresh()
    assert "The clocks differ" not in client.get("/").text
    assert -5 < value_of(client, "wiki_web_clock_skew_seconds") < 0
    committed.commit(Change(now() + 240 * SECOND, "ahead"))
    refresh()
    assert "The clocks differ: what was committed is 3 min ahead" in client.get("/").text
    assert 230 < value_of(client, "wiki_web_clock_skew_seconds") <= 240


def value_of(client: FlaskClient, metric: str) -> float:
    (line,) = [line for line in client.get("/metrics").text.splitlines() if line.startswith(f"{metric} ")]
    return float(line.split()[1])
