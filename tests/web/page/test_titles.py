"""A title asked for meets the one stored, however either is spelled; no link leads to an error."""

import html
import re
from collections.abc import Callable
from urllib.parse import urljoin

import pytest
from flask.testing import FlaskClient

from web.committed import Change, CommittedChanges, now

Refresh = Callable[[], bool]


def links_of(client: FlaskClient, path: str) -> list[str]:
    """Where the page's links to itself lead."""
    found = re.findall(r'href="([^"]*)"', client.get(path).text)
    return [urljoin(path, html.unescape(link)) for link in found if not re.match("https?:|#", link)]


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("Café", "Cafe\u0301"),
        ("Cafe\u0301", "Café"),
        ("한국어", "\u1112\u1161\u11ab\u1100\u116e\u11a8\u110b\u1165"),
        ("Main Page", "Main_Page"),
        ("Main_Page", "Main Page"),
        ("Main_Page", "Main_Page"),
        ("مرحبا", "\u200fمرحبا\u200e"),
        ("\u200eMoon\u200f", "Moon"),
        ("\u202aMoon\u202c", "\u202aMoon\u202c"),
        ("Mo\x00on", "Moon"),
        ("Mo\non\x7f", "Moon"),
        (" _Moon_ ", "Moon"),
    ],
)
def test_one_title_in_two_spellings_is_found(
    client: FlaskClient, committed: CommittedChanges, refresh: Refresh, stored: str, asked: str
) -> None:
    committed.commit(Change(now(), stored))
    refresh()
    answer = client.get("/api/v1/changes", query_string={"title": asked}).get_json()
    assert answer["totals"]["changes"] == 1
    page = client.get("/page", query_string={"title": asked})
    assert page.status_code == 200
    assert "No such change" not in page.text


def test_two_spellings_of_a_title_are_one_title(
    client: FlaskClient, committed: CommittedChanges, refresh: Refresh
) -> None:
    committed.commit(Change(now(), "Main Page"), Change(now(), "Main_Page"), Change(now(), "\u200eMain Page"))
    refresh()
    titles = client.get("/api/v1/top").get_json()["titles"]
    assert [(title["title"], title["changes"]) for title in titles] == [("Main Page", 3)]


@pytest.mark.parametrize(
    "title",
    [
        "A\x00B",
        "A_B",
        "Cafe\u0301",
        "e\u0301é",
        "\u200eA",
        " A ",
        "\u3000A\u3000",
        "\x00",
        "_",
        "a" * 400,
        "?&#%+/",
    ],
)
@pytest.mark.parametrize("wiki", ["enwiki", "EN wiki!", ""])
def test_every_link_of_a_page_leads_to_what_it_promises(
    client: FlaskClient, committed: CommittedChanges, refresh: Refresh, title: str, wiki: str
) -> None:
    committed.commit(Change(now(), title, wiki=wiki), Change(now(), "Other", wiki="dewiki"))
    refresh()
    links = links_of(client, "/")
    assert links
    for link in links:
        with client.get(link) as response:
            assert response.status_code == 200
            assert not link.startswith("/page") or "No such change" not in response.get_data(as_text=True)
