"""Answers of past moments: exact from whatever source, each change once, unknown where nobody watched."""

import random
import threading
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

import pyarrow as pa
import pytest

from web.committed import NOON, Change, CommittedChanges
from web.data.held import HOUR, document, listed
from web.data.past.stored import CLOSED_UNTIL, DAWN, Stored, at, some_moment, some_rows
from web.data.plain_count import ODD_TITLES, chosen
from wiki_common.coverage import Coverage, Gap
from wiki_common.store.place import Place
from wiki_web.data.answer_cache import AnswerCache
from wiki_web.data.engines import duckdb_past
from wiki_web.data.engines.duckdb_engine import DuckDBEngine, to_duckdb
from wiki_web.data.engines.engine import Engine, EngineError
from wiki_web.data.long_queries import TooManyChanges
from wiki_web.data.past.kept import KeptHours
from wiki_web.data.past.past_answers import OutOfReach, PastAnswers
from wiki_web.data.past.sources import sources_of
from wiki_web.data.queries import KINDS, Bots, Editors, Query, Statement, statement_of
from wiki_web.data.rows import SCHEMA, Hour, closed_hours, microseconds
from wiki_web.data.store import Store

MINUTE, SECOND, MICROSECOND = timedelta(minutes=1), timedelta(seconds=1), timedelta(microseconds=1)
EVERYTHING = Query("timeline", HOUR, 20, types=None)


@pytest.fixture
def rows(seed: int) -> list[Change]:
    return [*some_rows(random.Random(seed), 600), Change(CLOSED_UNTIL, "A", event_id="at the border")]


@pytest.fixture
def stored(committed: CommittedChanges, engine: Engine, rows: list[Change]) -> Stored:
    return Stored(committed, engine, rows)


@pytest.fixture
def on_duckdb(committed: CommittedChanges, duckdb_engine: DuckDBEngine, rows: list[Change]) -> Stored:
    return Stored(committed, duckdb_engine, rows)


@pytest.mark.parametrize(
    ("moment", "window", "reads", "asks"),
    [
        (NOON - 3 * HOUR, 2 * HOUR, True, False),
        (NOON - HOUR, 4 * HOUR, True, True),
        (CLOSED_UNTIL, 2 * HOUR, True, True),
        (NOON - MINUTE, HOUR / 2, False, True),
    ],
    ids=["from files", "from files and what is held", "up to the history's end", "from what is held"],
)
def test_each_source_gives_what_a_plain_count_gives(
    stored: Stored, moment: datetime, window: timedelta, reads: bool, asks: bool
) -> None:
    kept = KeptHours(stored.committed.data_dir).look()
    for kind in KINDS:
        query = at(moment, Query(kind, window, 20))
        stored.check(query)
        after_us, until_us = statement_of(query, microseconds(moment)).after_us, microseconds(moment)
        sources = sources_of(after_us, until_us, kept, stored.store.forgotten_us)
        assert (bool(sources.hours), not sources.immutable) == (reads, asks), kind


def test_any_moment_any_window_and_any_filter_gives_what_a_plain_count_gives(
    stored: Stored, engine: Engine, seed: int
) -> None:
    """Spark takes a second for each: DuckDB tries many."""
    chance = random.Random(seed)
    bots: list[Bots] = ["include", "exclude", "only"]
    editors: list[Editors] = ["all", "all", "anonymous", "registered"]
    for _ in range(100 if isinstance(engine, DuckDBEngine) else 12):
        moment, kind = some_moment(chance), chance.choice(KINDS)
        window = timedelta(seconds=chance.choice([60, 90, 1800, 3600, 4 * 3600, 24 * 3600]))
        if moment - window < DAWN and kind in ("top", "timeline"):
            window = MINUTE  # a plain count doesn't tell what is not known from what is not there
        query = Query(
            kind,
            window,
            chance.choice([1, 3, 500]),
            chance.choice([None, ("edit", "new"), ("log",)]),
            chance.choice(bots),
            chance.choice([None, (0,), (-1, 0, 1)]),
            chance.choice([None, ("dewiki",), ("dewiki", "enwiki")]),
            None if kind == "top" else chance.choice([None, "A", ODD_TITLES[3]]),
            editors=chance.choice(editors),
            user=chance.choice([None, None, "Ada"]),
        )
        stored.check(at(moment, query))


def test_a_list_of_changes_has_the_reasons_of_titles_too(stored: Stored, seed: int) -> None:
    """The newest three of each page that has such a title; from closed hours, from what is held, and both."""
    chance = random.Random(seed)
    titles = ("A", ODD_TITLES[3])
    for moment, window in ((CLOSED_UNTIL - MINUTE, HOUR), (NOON - MINUTE, HOUR), (NOON - MINUTE, 5 * HOUR)):
        query = at(moment, Query("changes", window, chance.choice([1, 5]), types=None, reasons_of=titles))
        inside = chosen(stored.rows, query, moment - window, moment)
        inside.sort(key=lambda row: (row.event_time, row.event_id), reverse=True)
        by_page: dict[tuple[str, str], list[Change]] = defaultdict(list)
        for row in inside:
            by_page[row.wiki, row.title].append(row)
        reasons = [row for page, rows in by_page.items() if page[1] in titles for row in rows[:3]]
        expected = [row.event_id for row in inside if row in reasons or row in inside[: query.limit]]
        answer = stored.answer(query)
        assert [change["id"] for change in listed(answer)] == expected
        assert len(expected) > query.limit
        assert answer.sums.totals.changes == len(inside)


def test_while_hours_are_closed_each_change_counts_once(on_duckdb: Stored) -> None:
    """In windows that reach from the closed hours to what is held, and those that just don't any more."""
    answered, done = threading.Event(), threading.Event()

    def close_hours() -> None:
        for start in (CLOSED_UNTIL, CLOSED_UNTIL + HOUR):
            answered.clear()
            assert answered.wait(60)
            on_duckdb.close_hours(start, start + HOUR)
            on_duckdb.store.rebase_if_due()
        done.set()

    closing_hours = threading.Thread(target=close_hours)
    closing_hours.start()
    limit = 1
    while not done.is_set():
        limit += 1  # another query: nothing is kept for it
        on_duckdb.check(at(NOON - MINUTE, replace(EVERYTHING, window=5 * HOUR, limit=limit)))
        answered.set()
    closing_hours.join()
    assert KeptHours(on_duckdb.committed.data_dir).look().end_us == microseconds(NOON)
    on_duckdb.check(at(NOON - MINUTE, replace(EVERYTHING, window=5 * HOUR)))


def test_what_is_not_in_the_history_is_held_however_short_the_longest_window(
    committed: CommittedChanges, engine: Engine, rows: list[Change]
) -> None:
    stored = Stored(committed, engine, rows, max_window=HOUR)
    late = Change(CLOSED_UNTIL + SECOND, "told late")
    stored.committed.commit(late, covered=Coverage(NOON))
    stored.rows.append(late)
    assert stored.store.refresh()
    stored.store.rebase_if_due()
    stored.check(at(NOON - HOUR, replace(EVERYTHING, window=2 * HOUR)))
    stored.check(at(CLOSED_UNTIL + 2 * SECOND, replace(EVERYTHING, window=MINUTE)))


class GoneHour(DuckDBEngine):
    """Its first computation finds that the first of its hours was just deleted, as by the retention."""

    gone: Place | None = None

    def compute(self, statement: Statement, hours: Sequence[Hour], rows: pa.Table) -> pa.Table:
        if self.gone is None:
            self.gone = hours[0].path
            self.gone.unlink()
        return super().compute(statement, hours, rows)


def test_an_hour_that_is_deleted_under_the_read_is_not_known_any_more(
    committed: CommittedChanges, rows: list[Change]
) -> None:
    with closing(GoneHour()) as engine:
        stored = Stored(committed, engine, rows)
        answer = stored.answer(at(DAWN + 2 * HOUR, replace(EVERYTHING, window=2 * HOUR)))
    assert document(answer)["counting_since"] == "2026-03-01T07:00:00Z"
    left = [row for row in rows if DAWN + HOUR <= row.event_time <= DAWN + 2 * HOUR]
    assert answer.sums.totals.changes == len(left)


def test_an_hour_that_can_not_be_read_is_named_and_fails_alone(stored: Stored) -> None:
    hour = stored.committed.data_dir / "history/date=2026-03-01/hour=08/part-0.parquet"
    hour.write_bytes(b"torn")
    with pytest.raises(EngineError, match=r"hour=08/part-0\.parquet: its footer"):
        stored.answer(at(DAWN + 3 * HOUR - SECOND, EVERYTHING))
    stored.check(at(DAWN + 2 * HOUR - SECOND, EVERYTHING))


def test_more_rows_than_memory_may_have_are_refused(
    on_duckdb: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duckdb_past, "MOST_READ", 5_000)
    files = [hour.path for hour in closed_hours(on_duckdb.committed.data_dir)]
    asked = statement_of(replace(EVERYTHING, window=2 * HOUR), microseconds(DAWN + 2 * HOUR))
    statement = replace(asked, sql=to_duckdb(asked.sql))
    with closing(duckdb_past.DuckDBPast()) as past:
        assert past.compute(statement, [], SCHEMA.empty_table()).num_rows == 1
        with pytest.raises(EngineError, match="more than 5000 bytes"):
            past.compute(statement, files, SCHEMA.empty_table())


@pytest.mark.parametrize(
    ("moment", "window"),
    [(NOON - 3 * HOUR, 2 * HOUR), (NOON - HOUR, 4 * HOUR), (NOON - MINUTE, HOUR)],
    ids=["from files", "from files and what is held", "from what is held"],
)
def test_a_window_with_too_many_changes_is_refused_with_their_number(
    stored: Stored, engine: Engine, moment: datetime, window: timedelta
) -> None:
    query = at(moment, replace(EVERYTHING, window=window))
    number = stored.answer(query).sums.totals.changes
    folder = stored.committed.data_dir
    few = PastAnswers(stored.store, engine, folder, stored.live, most_counted=number - 1)
    with pytest.raises(TooManyChanges, match=f"has {number} such changes, and {number - 1} can be counted"):
        few.get(query)
    assert few.get(replace(query, wikis=("frwiki",)))[0].answer.sums.totals.changes == 0


@pytest.mark.parametrize(
    "moment", [DAWN, DAWN - MICROSECOND, DAWN - timedelta(days=400), NOON + MICROSECOND, NOON + 24 * HOUR]
)
def test_a_moment_that_is_not_kept_or_not_there_yet_is_refused(on_duckdb: Stored, moment: datetime) -> None:
    with pytest.raises(OutOfReach, match=r"after 2026-03-01T06:00:00Z, up to 2026-03-01T12:00:00Z"):
        on_duckdb.answer(at(moment, EVERYTHING))


def test_the_first_and_the_last_moment_that_are_known_have_answers(on_duckdb: Stored) -> None:
    for moment in (DAWN + MICROSECOND, NOON):
        on_duckdb.check(at(moment, replace(EVERYTHING, window=MINUTE)))


def buckets(stored: Stored, moment: datetime, window: timedelta) -> list[int | None]:
    found = document(stored.answer(at(moment, replace(EVERYTHING, window=window))))
    return [bucket["changes"] for bucket in found["minutes"]]


def test_before_the_first_hour_that_is_kept_nothing_is_known(
    committed: CommittedChanges, duckdb_engine: DuckDBEngine
) -> None:
    stored = Stored(committed, duckdb_engine, [Change(DAWN + SECOND), Change(NOON)])
    assert buckets(stored, DAWN + 2 * MINUTE, 4 * MINUTE) == [None, None, 1, 0]
    answer = stored.answer(at(DAWN + 2 * MINUTE, replace(EVERYTHING, window=4 * MINUTE)))
    assert document(answer)["counting_since"] == "2026-03-01T06:00:00Z"


def test_what_nobody_watched_is_not_known_wherever_it_is_told(
    committed: CommittedChanges, duckdb_engine: DuckDBEngine
) -> None:
    """In the file of a later hour than those of the window, or in a file of changes."""
    lost = Gap(DAWN + HOUR - 2 * MINUTE, DAWN + 3 * HOUR + MINUTE)
    open_end = Gap(NOON - 50 * MINUTE, NOON - 40 * MINUTE)
    stored = Stored(committed, duckdb_engine, [Change(DAWN + SECOND), Change(NOON)])
    committed.close_hour(DAWN + 3 * HOUR, [Change(DAWN + 3.5 * HOUR)], covered=Coverage(None, (lost,)))
    committed.commit(covered=Coverage(NOON, (open_end,)))
    stored.store.refresh()
    assert buckets(stored, DAWN + HOUR, 4 * MINUTE) == [0, 0, None, None]
    assert buckets(stored, DAWN + 2 * HOUR, 2 * MINUTE) == [None, None]
    assert buckets(stored, DAWN + 3 * HOUR + 2 * MINUTE, 2 * MINUTE) == [None, 0]
    assert buckets(stored, NOON - 39 * MINUTE, 3 * MINUTE) == [None, None, 0]


def test_without_any_history_what_is_held_is_known(
    committed: CommittedChanges, duckdb_engine: DuckDBEngine
) -> None:
    committed.commit(Change(NOON - 50 * MINUTE), Change(NOON), covered=Coverage(NOON))
    store = Store(committed.data_dir, duckdb_engine, HOUR)
    store.refresh()
    past = PastAnswers(store, duckdb_engine, committed.data_dir, AnswerCache(store, EVERYTHING))
    cached, state = past.get(at(NOON - 49 * MINUTE, replace(EVERYTHING, window=2 * MINUTE)))
    assert (state, cached.answer.sums.totals.changes) == ("past", 1)
    with pytest.raises(OutOfReach, match="after 2026-03-01T10:59:00Z"):
        past.get(at(NOON - 61 * MINUTE, EVERYTHING))


def test_before_the_first_load_a_moment_has_no_answer_yet(
    committed: CommittedChanges, duckdb_engine: DuckDBEngine
) -> None:
    store = Store(committed.data_dir, duckdb_engine, HOUR)
    past = PastAnswers(store, duckdb_engine, committed.data_dir, AnswerCache(store, EVERYTHING))
    cached, state = past.get(at(NOON, EVERYTHING))
    assert (state, cached.answer.as_of) == ("starting", None)
    committed.commit()
    store.refresh()
    assert past.get(at(NOON, EVERYTHING))[1] == "empty"
