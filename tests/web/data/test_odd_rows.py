"""Nothing in a stored row ends a refresh: it is shown as far as it can be, and counted where it can be."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from web.committed import NOON, Change, CommittedChanges, changes_table
from web.data.held import document
from wiki_web.data.answers import Answer, answer_of
from wiki_web.data.engines.engine import Engine
from wiki_web.data.links import web_url
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
    return {kind: document(ask(store, Query(kind, 2 * HOUR, 50, types=None))) for kind in KINDS}


def ask(store: Store, query: Query) -> Answer:
    _, as_of_us, run = store.prepare(query)
    return answer_of(query, as_of_us, run())


ODD = Change(NOON - HOUR / 2, "Odd", length_old=100, length_new=140)


IMPOSSIBLE: dict[str, list[tuple[int | None, int | None]]] = {
    "Below zero": [(1, SMALLEST)],
    "From below zero": [(SMALLEST, 1)],
    "Too large twice": [(0, LARGEST), (0, LARGEST)],
    "From too large twice": [(LARGEST, 0), (LARGEST, 0)],
    "One of them alone": [(-1, None), (None, SMALLEST)],
    "Just too large": [(None, 2**32)],
}
"""Sizes before and after each change that no page has, by title."""
LARGEST_OF_A_PAGE = 2**32 - 1


def odd_rows() -> pa.Table:
    """All of one minute: an address that is none, impossible sizes, the largest possible ones, only nulls."""
    changes = [replace(ODD, title="Address", page_url="https://[en.wikipedia.org/wiki/T")]
    for name, sizes in IMPOSSIBLE.items():
        odd = replace(ODD, title=name)
        changes += [odd, *(replace(odd, length_old=old, length_new=new) for old, new in sizes)]
    changes += [replace(ODD, title="Largest", length_old=0, length_new=LARGEST_OF_A_PAGE)] * 3
    nulls = changes_table([ODD])
    for name in nulls.schema.names:
        if name != "event_time":
            nulls = with_column(nulls, name, [None])
    return pa.concat_tables([changes_table(changes), nulls])


def test_odd_rows_are_shown_as_far_as_they_can_be_and_counted(store: Store, keep: Keep) -> None:
    keep(odd_rows())
    assert store.refresh()
    found = answers(store)
    titles = {each["title"]: each for each in found["top"]["titles"]}
    address = titles["Address"]
    assert (address["url"], address["history_url"], address["changes"]) == (None, None, 1)
    assert [each["url"] for each in found["changes"]["changes"] if each["title"] == "Address"] == [None]
    for name, sizes in IMPOSSIBLE.items():
        assert (titles[name]["bytes"], titles[name]["changes"]) == (40, 1 + len(sizes)), name
    assert titles["Largest"]["bytes"] == 3 * LARGEST_OF_A_PAGE
    assert titles[""]["changes"] == 1
    (bucket,) = [each for each in found["timeline"]["minutes"] if each["changes"] > 1]
    assert bucket["bytes"] == 40 * (1 + len(IMPOSSIBLE)) + 3 * LARGEST_OF_A_PAGE
    answer = ask(store, Query("top", 2 * HOUR, 20))
    assert answer.sums.impossible_sizes == sum(map(len, IMPOSSIBLE.values()))


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
