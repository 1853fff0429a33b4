"""Nothing in a stored row ends a refresh: it is shown as far as it can be, and counted where it can be."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from web.committed import NOON, Change, CommittedChanges, changes_table
from web.data.held import document
from wiki_web.data.answers import Answer, answer_of, web_url
from wiki_web.data.engines.engine import Engine
from wiki_web.data.queries import KINDS, Query
from wiki_web.data.store import Store

HOUR = timedelta(hours=1)
SMALLEST, LARGEST = -(2**63), 2**63 - 1
Keep = Callable[[pa.Table], None]


@pytest.fixture(params=["changes", "history", "file"])
def keep(
    request: pytest.FixtureRequest,
    committed: CommittedChanges,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> Keep:
    """Store rows of the last hour before NOON as what is new, or as a closed hour, which isn't held or is."""
    if request.param == "file":
        monkeypatch.setattr(engine, "most_held", 0)

    def store_rows(rows: pa.Table) -> None:
        if request.param == "changes":
            committed.commit_table(rows)
        else:
            committed.close_hour(NOON - HOUR, rows)
            committed.commit(Change(NOON, "newest"))

    return store_rows


def with_column(rows: pa.Table, name: str, values: list[Any]) -> pa.Table:
    field = rows.schema.field(name)
    return rows.set_column(rows.schema.get_field_index(name), field, pa.array(values, field.type))


def answers(store: Store) -> dict[str, dict[str, Any]]:
    """The answers of all kinds over everything, as JSON."""
    return {kind: document(ask(store, Query(kind, 2 * HOUR, 20, types=None))) for kind in KINDS}


def ask(store: Store, query: Query) -> Answer:
    _, as_of_us, run = store.prepare(query)
    return answer_of(query, as_of_us, run())


ODD = Change(NOON - HOUR / 2, "Odd", length_old=100, length_new=140)


def test_an_address_that_is_none_is_no_link(store: Store, keep: Keep) -> None:
    keep(changes_table([replace(ODD, page_url="https://[en.wikipedia.org/wiki/T")]))
    assert store.refresh()
    found = answers(store)
    (title,) = [title for title in found["top"]["titles"] if title["title"] == "Odd"]
    assert (title["url"], title["history_url"], title["changes"]) == (None, None, 1)
    assert [change["url"] for change in found["changes"]["changes"] if change["title"] == "Odd"] == [None]


@pytest.mark.parametrize(
    "sizes",
    [
        [(1, SMALLEST)],
        [(SMALLEST, 1)],
        [(0, LARGEST), (0, LARGEST)],
        [(LARGEST, 0), (LARGEST, 0)],
        [(-1, None), (None, SMALLEST)],
        [(None, 2**32)],
    ],
)
def test_sizes_that_no_page_has_are_left_out_of_the_sums_and_counted(
    store: Store, keep: Keep, sizes: list[tuple[int | None, int | None]]
) -> None:
    keep(changes_table([ODD, *(replace(ODD, length_old=old, length_new=new) for old, new in sizes)]))
    assert store.refresh()
    found = answers(store)
    (title,) = [title for title in found["top"]["titles"] if title["title"] == "Odd"]
    assert (title["bytes"], title["changes"]) == (40, 1 + len(sizes))
    assert sum(bucket["bytes"] for bucket in found["timeline"]["minutes"] if bucket["changes"] > 1) == 40
    answer = ask(store, Query("top", 2 * HOUR, 20))
    assert answer.sums.impossible_sizes == len(sizes)


def test_the_largest_sizes_that_pages_can_have_add_up(store: Store, keep: Keep) -> None:
    keep(changes_table([replace(ODD, length_old=0, length_new=2**32 - 1)] * 3))
    assert store.refresh()
    (title,) = [title for title in answers(store)["top"]["titles"] if title["title"] == "Odd"]
    assert title["bytes"] == 3 * (2**32 - 1)


def test_a_row_of_nulls_is_counted(store: Store, keep: Keep) -> None:
    rows = changes_table([ODD])
    for name in rows.schema.names:
        if name != "event_time":
            rows = with_column(rows, name, [None])
    keep(rows)
    assert store.refresh()
    assert "" in [title["title"] for title in answers(store)["top"]["titles"]]


# The consumer writes none; a file is read by the engine's own reader, of which DuckDB's refuses them.
@pytest.mark.parametrize("keep", ["changes", "history"], indirect=True)
def test_bytes_that_are_no_text_are_shown_as_unknown_characters(store: Store, keep: Keep) -> None:
    rows = changes_table([ODD])
    for name in ("title", "user", "comment", "page_url", "wiki", "event_id", "type"):
        garbled = pa.Array.from_buffers(pa.string(), 1, pa.array([b"a\xff"], pa.binary()).buffers())
        rows = rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), garbled)
    keep(rows)
    assert store.refresh()
    assert "a\ufffd" in [change["title"] for change in answers(store)["changes"]["changes"]]


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "https:///wiki/T", "//a/b", "", None, "http://[::1"]
)
def test_only_addresses_of_the_web_become_links(address: str | None) -> None:
    assert web_url(address) is None


def test_an_address_of_the_web_stays_as_it_is() -> None:
    assert web_url("https://en.wikipedia.org/wiki/A%26B?x#y") == "https://en.wikipedia.org/wiki/A%26B?x#y"
