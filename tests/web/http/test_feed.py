"""/feed.atom over HTTP: as a feed reader reads it, and as RFC 4287 wants it."""

import html
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import feedparser
import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from web.committed import Change, CommittedChanges, now
from web.data.usual import write_baseline
from wiki_common.baseline import Covered
from wiki_common.coverage import Coverage
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.http.app import create_app
from wiki_web.http.parameters import Parameters
from wiki_web.page.formats import rfc3339
from wiki_web.settings import Settings

ATOM = "{http://www.w3.org/2005/Atom}"
ADDRESS = "https://example.org/wiki/feed.atom"
"""Where a reader may find it: the service doesn't know its own address."""
ODD_TITLE = '<b>&amp; "x" ]]>'
ODD_COMMENT = "<script>alert(1)</script>\x00\x0b\ufffe & more"
SECOND = timedelta(seconds=1)


def burst(title: str, count: int = 10, back: timedelta = 3 * 60 * SECOND, **more: Any) -> list[Change]:
    """Ten changes, the last of them so long ago."""
    return [Change(now() - back - place * SECOND, title, f"User {place}", **more) for place in range(count)]


@pytest.fixture
def began(committed: CommittedChanges, refresh: Callable[[], bool]) -> datetime:
    """Three bursts, the first of which began then."""
    changes = burst("Ada Lovelace", 12)
    committed.commit(
        *changes,
        *burst(ODD_TITLE, comment=ODD_COMMENT, back=4 * 60 * SECOND),
        *burst("Берлин", wiki="ruwiki", namespace=1, type="new", back=5 * 60 * SECOND),
        *burst("Too few", 9),
        covered=Coverage(now()),
    )
    assert refresh()
    return changes[2].event_time


def read(client: FlaskClient, query: str = "") -> Any:
    """As a feed reader does."""
    response = client.get(f"/feed.atom{query}")
    assert response.status_code == 200
    found = feedparser.parse(
        response.data,
        response_headers={"content-type": response.content_type, "content-location": ADDRESS + query},
    )
    assert not found.bozo, found.get("bozo_exception")
    assert found.version == "atom10"
    return found


@pytest.mark.usefixtures("began")
def test_a_feed_reader_reads_it(client: FlaskClient, began: datetime) -> None:
    found = read(client)
    assert found.feed.title == "Titles that reach 10 changes within 30 min"
    assert [entry.title for entry in found.entries] == [
        "Ada Lovelace: 10 changes within 30 min",
        f"{ODD_TITLE}: 10 changes within 30 min",
        "Берлин: 10 changes within 30 min",
    ]
    entry = found.entries[0]
    assert entry.updated == entry.published == found.feed.updated == rfc3339(began)
    first = began - 9 * SECOND
    assert entry.summary.startswith(f"12 changes on enwiki by 12 editors from {first:%Y-%m-%d %H:%M} to ")
    assert entry.summary.endswith("UTC, +120 bytes. Newest comment: a comment")
    assert [tag.term for tag in entry.tags] == ["enwiki"]
    assert entry.link == "https://en.wikipedia.org/wiki/Ada_Lovelace"


@pytest.mark.usefixtures("began")
def test_it_has_what_the_rfc_demands(client: FlaskClient) -> None:
    """Sections 4.1.1 and 4.1.2: each element that has to be there, once, and dates as in RFC 3339."""
    root = ElementTree.fromstring(client.get("/feed.atom").data)  # noqa: S314 - our own
    assert root.tag == f"{ATOM}feed"
    entries = root.findall(f"{ATOM}entry")
    for element in (root, *entries):
        for name in ("id", "title", "updated"):
            (found,) = element.findall(f"{ATOM}{name}")
            assert found.text
        assert urlsplit(element.findtext(f"{ATOM}id")).scheme == "urn"
        datetime.strptime(element.findtext(f"{ATOM}updated") or "", "%Y-%m-%dT%H:%M:%SZ")
        alternate = [link for link in element.findall(f"{ATOM}link") if link.get("rel") == "alternate"]
        assert len(alternate) == 1
    assert root.findtext(f"{ATOM}author/{ATOM}name")
    assert len([link for link in root.findall(f"{ATOM}link") if link.get("rel") == "self"]) == 1
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len({*ids, root.findtext(f"{ATOM}id")}) == len(ids) + 1


@pytest.mark.usefixtures("began")
def test_addresses_are_right_below_any_path(client: FlaskClient) -> None:
    found = read(client, "?types=all&at_least=10")
    links = {link.rel: link.href for link in found.feed.links}
    assert links == {"self": f"{ADDRESS}?types=all", "alternate": "https://example.org/wiki/?types=all"}
    pages = [urlsplit(link.href) for link in found.entries[1].links if link.rel == "related"]
    assert [(page.path, parse_qs(page.query)) for page in pages] == [
        ("/wiki/page", {"title": [ODD_TITLE], "on": ["enwiki"], "types": ["all"]})
    ]
    assert client.get(f"/page?{pages[0].query}").text.count("User ") > 10
    for link in links.values():
        assert client.get(link.removeprefix("https://example.org/wiki")).status_code == 200


@pytest.mark.usefixtures("began")
def test_text_of_strangers_is_text_and_controls_are_replaced(client: FlaskClient) -> None:
    response = client.get("/feed.atom")
    assert b"<script" not in response.data
    (summary,) = (entry.summary for entry in read(client).entries if entry.title.startswith("<b>"))
    assert summary.endswith("Newest comment: <script>alert(1)</script>\ufffd\ufffd\ufffd & more")


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("?at_least=12", ["Ada Lovelace"]),
        ("?at_least=13", []),
        ("?window=1m&wiki=ruwiki", ["Берлин"]),
        ("?types=new", ["Берлин"]),
        ("?namespace=1", ["Берлин"]),
        ("?bots=only", []),
        ("?user=User_0&at_least=2", []),
        ("?editors=anonymous", []),
    ],
)
@pytest.mark.usefixtures("began")
def test_its_parameters_choose(client: FlaskClient, query: str, titles: list[str]) -> None:
    found = read(client, query)
    assert [entry.title.rpartition(": ")[0] for entry in found.entries] == titles
    assert found.feed.id != read(client).feed.id


@pytest.fixture
def usual(committed: CommittedChanges, began: datetime) -> None:
    """One of the three titles is always as busy."""
    week, end = timedelta(days=7), began - timedelta(hours=1)
    covered = Covered(end - week, end, week.total_seconds())
    write_baseline(committed.data_dir, {("enwiki", ODD_TITLE): 3360}, covered)


@pytest.mark.usefixtures("began", "usual")
def test_what_becomes_unusual_is_a_feed_too(client: FlaskClient, began: datetime) -> None:
    found = read(client, "?order=unusual")
    assert found.feed.title == "Titles that reach far more changes than usual within 30 min"
    assert found.feed.subtitle == "On Wikipedia. Counted: edits and new pages, without bots."
    assert {link.rel: link.href for link in found.feed.links} == {
        "self": f"{ADDRESS}?order=unusual",
        "alternate": "https://example.org/wiki/?order=unusual",
    }
    assert [entry.title for entry in found.entries] == [
        "Too few: far more changes than usual within 30 min",
        "Ada Lovelace: far more changes than usual within 30 min",
        "Берлин: far more changes than usual within 30 min",
    ]
    entry = found.entries[1]
    assert entry.updated == entry.published == rfc3339(began - SECOND)  # the ninth change
    page = next(urlsplit(link.href) for link in entry.links if link.rel == "related")
    assert parse_qs(page.query) == {"title": ["Ada Lovelace"], "on": ["enwiki"], "order": ["unusual"]}
    assert client.get(f"/page?{page.query}").status_code == 200
    plain = read(client)
    assert not {found.feed.id, *(entry.id for entry in found.entries)} & {
        plain.feed.id,
        *(entry.id for entry in plain.entries),
    }
    (other,) = read(client, "?order=unusual&wiki=ruwiki&window=1h&types=new,edit&bots=exclude").entries
    assert other.title == "Берлин: far more changes than usual within 1 h"


@pytest.mark.usefixtures("began")
def test_before_anything_is_usual_nothing_is_unusual(client: FlaskClient) -> None:
    assert read(client, "?order=unusual").entries == []
    assert client.get("/feed.atom?order=changes").data == client.get("/feed.atom").data


@pytest.mark.usefixtures("began")
def test_it_is_sent_once_and_may_be_kept_for_a_minute(client: FlaskClient) -> None:
    first = client.get("/feed.atom")
    assert first.content_type == "application/atom+xml; charset=utf-8"
    assert first.headers["Cache-Control"] == "max-age=60"
    again = client.get("/feed.atom", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    head = client.head("/feed.atom")
    assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", first.headers["ETag"])
    assert client.get("/feed.atom?at_least=12").headers["ETag"] != first.headers["ETag"]


@pytest.mark.usefixtures("began")
def test_it_stays_the_same_while_nothing_bursts(
    client: FlaskClient, committed: CommittedChanges, refresh: Callable[[], bool]
) -> None:
    first = client.get("/feed.atom")
    committed.commit(Change(now(), "Another"), covered=Coverage(now() + 120 * SECOND))
    assert refresh()
    assert client.get("/feed.atom").headers["ETag"] == first.headers["ETag"]


def test_before_anything_is_counted_a_reader_is_told_to_come_back(client: FlaskClient) -> None:
    response = client.get("/feed.atom")
    assert (response.status_code, response.mimetype) == (503, "application/problem+json")
    assert response.headers["Retry-After"] == "2"


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("at_least=1", "at_least"),
        ("at_least=1001", "at_least"),
        ("at_least=ten", "at_least"),
        ("at_least=٣", "at_least"),
        ("at_least=10&at_least=11", "at_least"),
        ("window=361m", "window"),
        ("window=2s", "window"),
        ("types=edits", "types"),
        ("limit=3", "limit"),
        ("to=2026-01-31T12:00:00Z", "to"),
        ("title=A", "title"),
        ("format=csv", "format"),
        ("order=surprise", "order"),
        ("order=unusual&at_least=10", "at_least"),
        ("order=unusual&user=User_0", "user"),
        ("order=unusual&types=all", "types"),
        ("order=unusual&bots=include", "bots"),
        ("order=unusual&window=361m", "window"),
    ],
)
def test_a_bad_parameter_is_named(client: FlaskClient, query: str, parameter: str) -> None:
    response = client.get(f"/feed.atom?{query}")
    assert (response.status_code, response.mimetype) == (400, "application/problem+json")
    assert response.get_json(force=True)["parameter"] == parameter


@pytest.mark.usefixtures("began")
def test_random_requests_get_what_is_described(app: Flask) -> None:
    operation = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)["/feed.atom"]["GET"]

    @given(case=operation.as_strategy())
    @tried(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def conforms(case: Any) -> None:
        case.call_and_validate(checks=[not_a_server_error, status_code_conformance, content_type_conformance])

    conforms()


@pytest.mark.parametrize(
    ("page", "feed"),
    [
        ("/", "feed.atom"),
        ("/?window=1h&bots=exclude&wiki=enwiki", "feed.atom?window=1h&bots=exclude&wiki=enwiki"),
        ("/?window=24h&limit=3", "feed.atom?window=6h"),
        ("/?order=unusual&window=24h&wiki=enwiki", "feed.atom?order=unusual&window=6h&wiki=enwiki"),
        ("/?order=unusual&user=User_0", "feed.atom?bots=exclude&user=User+0"),
        ("/page?title=Ada_Lovelace&order=unusual", "feed.atom?order=unusual"),
        ("/?user=User_0", "feed.atom?user=User+0"),
        ("/page?title=Ada_Lovelace&types=all", "feed.atom?types=all"),
        ("/nowhere", None),
    ],
)
@pytest.mark.usefixtures("began")
def test_the_page_names_the_feed_of_what_it_counts(client: FlaskClient, page: str, feed: str | None) -> None:
    text = html.unescape(client.get(page, headers={"Accept": "text/html"}).text)
    links = re.findall(
        r'<link rel="alternate" type="application/atom\+xml" title="[^"]+" href="([^"]+)">', text
    )
    assert links == ([feed] if feed else [])
    if feed:
        of = "titles that become unusual" if "unusual" in feed else "titles that reach many changes"
        assert f'<a href="{feed}">Feed of {of}</a>' in text
        assert client.get(f"/{feed}").status_code == 200


def holding(settings: Settings, window: timedelta) -> Settings:
    return settings.model_copy(update={"web_max_window": window})


def test_where_little_is_held_the_usual_window_is_a_shorter_one(
    settings: Settings, duckdb_engine: DuckDBEngine
) -> None:
    short = holding(settings, timedelta(minutes=40))
    client = create_app(short, duckdb_engine).test_client()
    described = client.get("/api/v1/openapi.json").get_json()["paths"]["/feed.atom"]["get"]["parameters"]
    assert {each["name"]: each["schema"].get("default") for each in described}["window"] == "10m"
    assert Parameters(short).burst_query({}).counted.window == timedelta(minutes=10)
    assert client.get("/feed.atom?window=11m").status_code == 400


@pytest.mark.parametrize(("held", "window"), [(timedelta(hours=24), "30m"), (timedelta(hours=2), "750s")])
@pytest.mark.usefixtures("began", "usual")
def test_what_becomes_unusual_is_told_for_half_an_hour_however_little_is_held(
    committed: CommittedChanges,
    settings: Settings,
    duckdb_engine: DuckDBEngine,
    held: timedelta,
    window: str,
) -> None:
    app = create_app(holding(settings, held), duckdb_engine)
    committed.commit(*burst("Half an hour ago", 20, back=28 * 60 * SECOND), covered=Coverage(now()))
    assert app.extensions["refresher"].refresh_once()
    client = app.test_client()
    entries = read(client, "?order=unusual").entries
    assert "Half an hour ago" in {entry.title.partition(":")[0] for entry in entries}
    page = client.get("/?order=unusual").text
    feed = re.search('href="(feed.atom[^"]*)"', page)
    assert feed is not None
    assert html.unescape(feed[1]) in {"feed.atom?order=unusual", f"feed.atom?order=unusual&window={window}"}
    assert client.get(f"/{html.unescape(feed[1])}").status_code == 200


def test_where_too_little_is_held_to_tell_what_is_unusual_it_says_so(
    settings: Settings, duckdb_engine: DuckDBEngine
) -> None:
    client = create_app(holding(settings, timedelta(minutes=96)), duckdb_engine).test_client()
    refusal = client.get("/feed.atom?order=unusual")
    assert refusal.status_code == 400
    assert refusal.get_json()["detail"] == "order: unusual needs more than a WEB_MAX_WINDOW of 96m"
    assert "Feed of titles that reach many changes" in client.get("/?order=unusual").text
