"""Changes and commits whose clocks differ: what is counted, up to when, and which state that is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from web.committed import NOON, Change, CommittedChanges, changes_table, now
from web.data.held import ALL_DAY, HOUR, counted
from wiki_common.coverage import Coverage
from wiki_web.data.answer_cache import AnswerCache
from wiki_web.data.documents import State
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.engines.engine import Engine
from wiki_web.data.store import Store

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


class Clocks:
    """A store's clocks: `seconds` since its start, `off` by so many seconds from the changes' own times."""

    def __init__(self, off: float = 0.0) -> None:
        self.seconds = 0.0
        self._off = off

    def monotonic(self) -> float:
        return self.seconds

    def wall(self) -> float:
        return NOON.timestamp() + self.seconds + self._off


class Watched:
    """What a page says of commits that come at the clocks' times and count up to some time."""

    def __init__(self, committed: CommittedChanges, engine: Engine, clocks: Clocks) -> None:
        self._committed = committed
        self._clocks = clocks
        self.store = Store(committed.data_dir, engine, HOUR, clock=clocks.monotonic, wall_clock=clocks.wall)
        self._answers = AnswerCache(self.store, ALL_DAY, clock=clocks.monotonic)

    def commit(self, as_of: datetime | None, *changes: Change) -> State:
        """The state with a batch of `changes` that counts up to `as_of`, written now by the true clock."""
        written = NOON.timestamp() + self._clocks.seconds
        covered = Coverage(as_of) if as_of else None
        self._committed.commit_table(changes_table(changes), at=written, covered=covered)
        self.store.refresh()
        return self.state()

    def state(self) -> State:
        return self._answers.state_of(self.store.position)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def watched(committed: CommittedChanges, duckdb_engine: DuckDBEngine, clocks: Clocks) -> Watched:
    return Watched(committed, duckdb_engine, clocks)


def test_what_a_footer_tells_is_the_time_up_to_which_is_counted(watched: Watched) -> None:
    watched.commit(NOON, Change(NOON - SECOND, "A"), Change(NOON + SECOND, "ahead"))
    assert as_of(watched.store) == NOON
    assert counted(watched.store) == {"A": 1}
    watched.commit(NOON + SECOND)
    assert as_of(watched.store) == NOON + SECOND
    assert counted(watched.store) == {"A": 1, "ahead": 1}


def test_at_a_start_the_newest_footer_counts_and_later_rows_are_held(
    watched: Watched, committed: CommittedChanges
) -> None:
    committed.commit(Change(NOON - 9 * SECOND, "A"), covered=Coverage(NOON - 8 * SECOND))
    committed.commit(Change(NOON + 240 * SECOND, "ahead"), covered=Coverage(NOON - 5 * SECOND))
    watched.store.refresh()
    assert as_of(watched.store) == NOON - 5 * SECOND
    assert counted(watched.store) == {"A": 1}
    watched.commit(NOON + 240 * SECOND)
    assert counted(watched.store) == {"A": 1, "ahead": 1}


def test_the_time_never_goes_back_whatever_a_footer_tells(watched: Watched) -> None:
    watched.commit(NOON)
    watched.commit(NOON - 9 * SECOND)
    assert as_of(watched.store) == NOON


def test_a_wiki_that_is_quiet_for_ten_minutes_is_live_all_the_time(watched: Watched, clocks: Clocks) -> None:
    assert watched.commit(NOON, Change(NOON, "A")) == "live"
    for _ in range(60):
        clocks.seconds += 10
        assert watched.state() == "live"
        assert watched.commit(NOON + clocks.seconds * SECOND) == "live"
    assert counted(watched.store) == {"A": 1}


def test_before_its_first_change_a_wiki_is_live_as_well(
    committed: CommittedChanges, engine: Engine, clocks: Clocks
) -> None:
    watched = Watched(committed, engine, clocks)
    assert watched.commit(NOON) == "live"
    assert counted(watched.store) == {}


def test_it_is_stale_after_half_a_minute_at_the_same_time_also_if_commits_come(
    watched: Watched, clocks: Clocks
) -> None:
    watched.commit(NOON, Change(NOON, "A"))
    clocks.seconds = 29
    assert watched.commit(NOON, Change(NOON, "B")) == "live"
    clocks.seconds = 31
    assert watched.state() == "stale"
    assert watched.commit(NOON, Change(NOON, "C")) == "stale"
    assert watched.commit(NOON + 31 * SECOND) == "live"


def test_at_a_start_an_old_time_is_stale_until_it_moves_on(watched: Watched, clocks: Clocks) -> None:
    assert watched.commit(NOON - 31 * SECOND, Change(NOON - 31 * SECOND, "A")) == "stale"
    clocks.seconds = 1
    # The stream is read on from where it was left: behind, but going.
    assert watched.commit(NOON - 29 * SECOND) == "live"


@pytest.mark.parametrize("off", [-600.0, 600.0])
def test_a_web_clock_that_is_wrong_by_minutes_is_told_and_stops_nothing(
    committed: CommittedChanges, duckdb_engine: DuckDBEngine, off: float
) -> None:
    clocks = Clocks(off)
    watched = Watched(committed, duckdb_engine, clocks)
    # At a start nobody can tell a clock that is ahead from a time that stands still.
    assert watched.commit(NOON, Change(NOON, "A")) == ("live" if off < 0 else "stale")
    for _ in range(60):
        clocks.seconds += 1
        assert watched.commit(NOON + clocks.seconds * SECOND, Change(NOON, "A")) == "live"
    assert counted(watched.store) == {"A": 61}
    assert watched.store.position is not None
    assert watched.store.position.ahead == -off
    clocks.seconds += 31
    assert watched.state() == "stale"


@pytest.mark.parametrize(
    "footer",
    [
        "",
        "noon",
        '{"as_of":"noon"}',
        '{"as_of":"2026-03-01T12:00:00"}',
        '{"gaps":[{}]}',
        '{"as_of":"0001-01-01T00:00:00Z"}',
        '{"as_of":"9999-12-31T23:59:59-12:00"}',
        '{"gaps":[{"start":null,"end":"0001-01-01T00:00:00+12:00"}]}',
    ],
)
def test_a_footer_that_cannot_be_read_counts_as_none_and_is_counted(
    client: FlaskClient, committed: CommittedChanges, refresh: Refresh, footer: str
) -> None:
    """At a start and later."""
    for expected in (1, 2):
        committed.commit(Change(now(), "A"), covered=footer)
        assert refresh()
        answer = client.get("/api/v1/top").get_json()
        assert (answer["state"], answer["totals"]["changes"]) == ("live", expected)
        assert value_of(client, "wiki_web_unreadable_footers") == expected
    committed.commit(Change(now(), "A"), covered=Coverage(now() + 10 * SECOND))
    assert refresh()
    assert client.get("/api/v1/top").get_json()["totals"]["changes"] == 3
    assert value_of(client, "wiki_web_unreadable_footers") == 2


def test_files_without_a_footer_count_up_to_their_newest_change_also_after_others_with_one(
    watched: Watched,
) -> None:
    watched.commit(None, Change(NOON - 5 * SECOND, "A"))
    assert as_of(watched.store) == NOON - 5 * SECOND
    watched.commit(NOON - 3 * SECOND)
    assert as_of(watched.store) == NOON - 3 * SECOND
    watched.commit(None, Change(NOON - 2 * SECOND, "A"), Change(NOON + HOUR, "ahead"))
    assert as_of(watched.store) == NOON


def test_a_clock_that_is_behind_is_told_on_the_page_and_in_metrics(
    client: FlaskClient, committed: CommittedChanges, refresh: Refresh
) -> None:
    committed.commit(Change(now(), "A"), covered=Coverage(now()))
    refresh()
    assert "The clocks differ" not in client.get("/").text
    assert value_of(client, "wiki_web_clock_skew_seconds") == 0
    committed.commit(covered=Coverage(now() + 240 * SECOND))
    refresh()
    assert "The clocks differ: what was committed is 3 min ahead of this server’s" in client.get("/").text
    assert 230 < value_of(client, "wiki_web_clock_skew_seconds") <= 240


def test_a_clock_that_is_ahead_is_told_on_the_page(
    client: FlaskClient, committed: CommittedChanges, refresh: Refresh
) -> None:
    for ago in (241, 240):
        then = now() - ago * SECOND
        committed.commit_table(changes_table([Change(then, "A")]), then.timestamp(), Coverage(then))
        refresh()
    assert "The clocks differ: what was committed is 4 min behind this server’s" in client.get("/").text


def value_of(client: FlaskClient, metric: str) -> float:
    (line,) = [line for line in client.get("/metrics").text.splitlines() if line.startswith(f"{metric} ")]
    return float(line.split()[1])
