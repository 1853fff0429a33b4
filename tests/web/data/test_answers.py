"""Both engines against a plain count in Python, over random rows with ties, nulls, odd titles and borders."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from web.committed import NOON, Change, CommittedChanges, changes_table
from web.data.held import document, listed
from web.data.plain_count import (
    BORDERS,
    ODD_TITLES,
    WINDOW,
    WINDOWS,
    changes,
    chosen,
    expected_lists,
    expected_top,
    queries,
)
from web.engines import on_both_engines
from wiki_web.data.answers import Answer, answer_of
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.engines.engine import Engine
from wiki_web.data.links import history_url
from wiki_web.data.queries import Kind, Query, statement_of
from wiki_web.data.rows import SCHEMA, microseconds, read_rows


def held_by(engine: Engine, rows: list[Change], folder: Path) -> None:
    """Half of the rows loaded, half appended, as commits bring them."""
    tables = []
    for number, half in enumerate((rows[::2], rows[1::2])):
        pq.write_table(changes_table(half), folder / f"{number}.parquet")
        tables.append(read_rows([folder / f"{number}.parquet"], from_us=0))
    engine.load((), tables[0], 0, lambda done: None)
    engine.append(tables[1])


def ask(engine: Engine, query: Query, rows: list[Change]) -> Answer:
    as_of_us = microseconds(max(row.event_time for row in rows))
    answer = answer_of(query, as_of_us, engine.prepare(statement_of(query, as_of_us))())
    alone = engine.prepare(statement_of(query, as_of_us, with_totals=False))()
    assert answer_of(query, as_of_us, alone, sums=answer.sums) == answer
    return answer


EVERY_BORDER = [
    Change(NOON - timedelta(seconds=seconds), title, user, event_id=f"{seconds:04}-{title}", bot=bot)
    for seconds in BORDERS
    for title, user, bot in (("A", "Ada", False), ("B", None, None), ("🦊 fox", "Bob", True))
]


def hold_for_random_rows(engine: Engine, check: Callable[[list[Change], Query], None], *kinds: Kind) -> None:
    """Spark takes the same SQL, a second for each example: DuckDB tries many, and every border."""
    many = isinstance(engine, DuckDBEngine)
    for kind in kinds:
        for window in WINDOWS if many else [WINDOW]:
            check(EVERY_BORDER, Query(kind, window, 3))
    examples = 200 if many else 8
    titles = (None,) if kinds == ("top",) else (None, "A", ODD_TITLES[3])
    random = given(rows=changes(), query=queries(kinds, titles))
    settings(max_examples=examples, deadline=None)(random(check))()


@on_both_engines
def test_top_equals_a_plain_count(engine: Engine, tmp_path: Path) -> None:
    hold_for_random_rows(engine, lambda rows, query: check_top(engine, tmp_path, rows, query), "top")


def check_top(engine: Engine, tmp_path: Path, rows: list[Change], query: Query) -> None:
    held_by(engine, rows, tmp_path)
    expected = expected_top(rows, query)
    found = document(ask(engine, query, rows))
    compared = (
        "rank",
        "rank_before",
        "wiki",
        "title",
        "changes",
        "editors",
        "bytes",
        "last_change",
        "per_minute",
        "created",
        "reverts",
        "top_editor_share",
        "anonymous_share",
    )
    assert [{name: title[name] for name in compared} for title in found["titles"]] == expected["titles"]
    assert found["totals"] == expected["totals"]
    assert found["wikis"] == list(wikis_of(rows, query))


def wikis_of(rows: list[Change], query: Query) -> tuple[str, ...]:
    as_of = max(row.event_time for row in rows)
    return tuple(sorted({row.wiki for row in chosen(rows, query, as_of - query.window, as_of)}))


def picked(answer: Answer) -> list[tuple[Any, ...]]:
    names = {
        "timeline": ("changes",),
        "changes": ("id", "title", "user"),
        "editors": ("rank", "user", "changes"),
        "unusual": ("wiki", "title", "changes", "counted", "editors"),
    }
    return [tuple(row[name] for name in names[answer.query.kind]) for row in listed(answer)]


@on_both_engines
def test_lists_equal_a_plain_count(engine: Engine, tmp_path: Path) -> None:
    kinds: tuple[Kind, ...] = ("timeline", "changes", "editors", "unusual")
    hold_for_random_rows(engine, lambda rows, query: check_lists(engine, tmp_path, rows, query), *kinds)


def check_lists(engine: Engine, tmp_path: Path, rows: list[Change], query: Query) -> None:
    rows = [replace(row, event_id=f"event-{number:03}") for number, row in enumerate(rows)]
    held_by(engine, rows, tmp_path)
    answer = ask(engine, query, rows)
    assert picked(answer) == expected_lists(rows, query)
    inside = chosen(rows, query, answer.as_of - query.window, answer.as_of) if answer.as_of else []
    assert answer.sums.wikis == wikis_of(rows, query)
    assert answer.sums.totals.changes == len(inside)
    assert answer.sums.totals.editors == len({row.user for row in inside if row.user is not None})
    assert answer.sums.totals.titles == len({(row.wiki, row.title) for row in inside})


@pytest.fixture
def asked(engine: Engine, tmp_path: Path) -> tuple[Engine, list[Change]]:
    rows = [
        Change(NOON, "A", "Ada", length_new=150),
        Change(NOON - timedelta(seconds=59), "A", "Bob", bot=True),
        Change(NOON - timedelta(seconds=60), "A", "Ada"),
        Change(NOON - timedelta(minutes=29, seconds=59), "B", None, type="new", length_old=None),
        Change(NOON - timedelta(minutes=30), "B", "Eve"),
        Change(NOON - timedelta(seconds=5), "Category:C", "Ada", type="categorize", length_new=None),
    ]
    held_by(engine, rows, tmp_path)
    return engine, rows


def test_timeline_has_every_minute_of_the_window(asked: tuple[Engine, list[Change]]) -> None:
    found = document(ask(asked[0], Query("timeline", WINDOW, 20), asked[1]))
    minutes = found["minutes"]
    assert len(minutes) == 30
    assert minutes[0]["from"] == found["window"]["from"] == "2026-03-01T11:30:00Z"
    assert minutes[-1]["to"] == found["as_of"] == "2026-03-01T12:00:00Z"
    assert [minute["to"] for minute in minutes[:-1]] == [minute["from"] for minute in minutes[1:]]
    assert [minute["changes"] for minute in minutes] == [1, *[0] * 27, 1, 2]
    assert minutes[-1] | {"editors": 2, "bytes": 60} == minutes[-1]
    assert found["totals"] == {"changes": 4, "titles": 2, "editors": 2}


def test_changes_are_newest_first_with_totals_beyond_the_limit(asked: tuple[Engine, list[Change]]) -> None:
    found = document(ask(asked[0], Query("changes", WINDOW, 2, title="A"), asked[1]))
    assert [(row["time"], row["user"]) for row in found["changes"]] == [
        ("2026-03-01T12:00:00Z", "Ada"),
        ("2026-03-01T11:59:01Z", "Bob"),
    ]
    assert found["changes"][0]["diff_url"].startswith("https://en.wikipedia.org/w/index.php?diff=")
    assert found["totals"] == {"changes": 3, "titles": 1, "editors": 2}


def test_editors_are_ranked_and_changes_without_a_user_left_out(asked: tuple[Engine, list[Change]]) -> None:
    found = document(ask(asked[0], Query("editors", WINDOW, 20, types=None), asked[1]))
    assert [(row["rank"], row["user"], row["changes"], row["titles"]) for row in found["editors"]] == [
        (1, "Ada", 3, 2),
        (2, "Bob", 1, 1),
    ]
    assert found["totals"]["changes"] == 5


@pytest.mark.parametrize("kind", ["top", "timeline", "changes", "editors"])
def test_nothing_that_matches_is_an_empty_answer(asked: tuple[Engine, list[Change]], kind: Any) -> None:
    answer = ask(asked[0], Query(kind, WINDOW, 20, wikis=("frwiki",)), asked[1])
    assert document(answer)["totals"] == {"changes": 0, "titles": 0, "editors": 0}
    assert sum(row.get("changes", 1) for row in listed(answer)) == 0


@pytest.mark.parametrize("title", ["A'; DROP TABLE changes; --", "\\", "'", "$title", ":title", "{x}"])
def test_a_title_is_never_sql(asked: tuple[Engine, list[Change]], title: str) -> None:
    assert ask(asked[0], Query("changes", WINDOW, 20, title=title), asked[1]).items == []


@pytest.mark.parametrize(
    ("minutes", "bucket", "buckets"),
    [(1, 1, 1), (30, 1, 30), (60, 1, 60), (61, 2, 31), (360, 10, 36), (1440, 30, 48), (10080, 180, 56)],
)
def test_long_windows_have_longer_buckets(minutes: int, bucket: int, buckets: int) -> None:
    query = Query("top", timedelta(minutes=minutes), 20)
    assert (query.bucket_us, query.buckets) == (bucket * 60_000_000, buckets)


@pytest.mark.parametrize(
    ("page", "history"),
    [
        (
            "https://en.wikipedia.org/wiki/A%26B",
            "https://en.wikipedia.org/w/index.php?title=A%26B&action=history",
        ),
        (
            "https://en.wikipedia.org/wiki/A&B?",
            "https://en.wikipedia.org/w/index.php?title=A%26B&action=history",
        ),
        ("javascript:alert(1)//wiki/", None),
        ("https://en.wikipedia.org/other", None),
        (None, None),
    ],
)
def test_history_url_is_of_the_same_wiki(page: str | None, history: str | None) -> None:
    assert history_url(page) == history


def test_rows_have_the_queries_columns(committed: CommittedChanges) -> None:
    committed.commit(Change(NOON))
    rows = read_rows(committed.files(), from_us=0)
    assert rows.schema == SCHEMA
    assert rows["event_us"].to_pylist() == [microseconds(NOON)]
