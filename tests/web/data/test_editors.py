"""Who is anonymous, and whose share of a title's changes is what."""

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from web.committed import NOON, Change, CommittedChanges
from web.data.held import listed
from web.data.plain_count import WINDOW
from wiki_web.data.answers import answer_of
from wiki_web.data.editors import ByEditors, by_editors, is_anonymous
from wiki_web.data.queries import Query
from wiki_web.data.store import Store
from wiki_web.http.parameters import Parameters
from wiki_web.settings import Settings

ANONYMOUS = [
    "~2026-10417-3",
    "~2024-1",
    "~2026-3391-54-2",
    "203.0.113.77",
    "0.0.0.1",
    "255.255.255.255",
    "2001:DB8:0:0:0:0:0:2A",
    "2001:db8:85a3:8d3:1319:8a2e:370:7348",
    "2001:db8::2a",
    "::1",
]
NAMED = [
    "Ada",
    "",
    "~",
    "~2026",
    "~2026-",
    "~2026-10417-3 (talk)",
    "~1999-1",
    "2026-10417-3",
    "203.0.113",
    "203.0.113.256",
    "203.0.113.77.1",
    "203.0.113.xxx",
    "1234",
    "12:30",
    "A:B:C:D:E:F:A",
    "2001:db8:85a3:8d3:1319:8a2e:370:7348:1",
    "G001:db8:0:0:0:0:0:1",
    "203.0.113.77\n",
    " 203.0.113.77",
    "٢٠٣.0.113.77",
]


@pytest.mark.parametrize("name", ANONYMOUS)
def test_temporary_accounts_and_addresses_are_anonymous(name: str) -> None:
    assert is_anonymous(name)


@pytest.mark.parametrize("name", NAMED)
def test_other_names_are_not(name: str) -> None:
    assert not is_anonymous(name)


@given(address=st.ip_addresses())
def test_an_address_is_anonymous_however_it_is_written(address: IPv4Address | IPv6Address) -> None:
    assume(getattr(address, "ipv4_mapped", None) is None)  # Python 3.13 writes it in two ways at once
    spellings = {str(address), address.exploded, str(address).upper()}
    if address.version == 6:  # as MediaWiki stores it: all groups, without leading zeros
        spellings.add(re.sub(r"\b0+(?=\w)", "", address.exploded).upper())
    assert all(map(is_anonymous, spellings))


def users(store: Store, **asked: Any) -> set[str]:
    """Those whose changes a query lists."""
    query = Query("changes", WINDOW, 500, **asked)
    _, as_of_us, run = store.prepare(query)
    return {row["user"] for row in listed(answer_of(query, as_of_us, run()))}


def test_the_filter_takes_those_for_anonymous_whom_the_shares_do(
    store: Store, committed: CommittedChanges
) -> None:
    committed.commit(*(Change(NOON, "A", name) for name in (*ANONYMOUS, *NAMED, None)))
    store.refresh()
    assert users(store, editors="anonymous") == set(ANONYMOUS)
    assert users(store, editors="registered") == set(NAMED)


@pytest.mark.parametrize("asked", ["Zoë_Ñandú ", "Zoe\u0308 N\u0303andu\u0301", "\u200eZoë Ñandú"])
def test_a_user_is_found_by_the_name_as_a_title_is(
    store: Store, committed: CommittedChanges, settings: Settings, asked: str
) -> None:
    stored = ["Zoë Ñandú", "Zoe\u0308 N\u0303andu\u0301"]
    committed.commit(*(Change(NOON, "A", name) for name in (*stored, "Zoë", "zoë ñandú")))
    store.refresh()
    query = Parameters(settings).query("changes", {"user": [asked]})
    assert users(store, user=query.user) >= {stored[0]}
    assert users(store, user=query.user) <= {*stored}


@pytest.mark.parametrize(
    ("editors", "expected"),
    [
        ([], ByEditors(0, None, None)),
        ([None, None], ByEditors(0, None, None)),
        (["Ada"], ByEditors(1, 1.0, 0.0)),
        (["Ada", "Ada", "10.0.0.1", None], ByEditors(2, 0.6667, 0.3333)),
        (["~2026-1-1", "10.0.0.1"], ByEditors(2, 0.5, 1.0)),
    ],
)
def test_shares_are_of_the_changes_whose_editor_is_known(
    editors: list[str | None], expected: ByEditors
) -> None:
    assert by_editors(editors) == expected
