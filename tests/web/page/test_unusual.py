"""What is unusual on the page: its words, the ways there and back, and that nothing else changes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from web.committed import Change, CommittedChanges, now
from web.data.usual import write_baseline
from web.page.ranked import ORDINARY
from wiki_common.baseline import Covered
from wiki_web.data.documents import BaselineTime, UnusualTitle
from wiki_web.page.unusual_words import usual_words

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
NOT_KNOWN = "What is usual isn’t known yet"


@pytest.mark.parametrize(
    ("counted", "usual", "before", "hours", "words"),
    [
        (5, 0.001, 0, 168, "first changes in a week"),
        (5, 0.001, 0, 20, "first changes in 20 h"),
        (5, 0.002, 1, 168, "1 other change in a week"),
        (5, 0.005, 9, 30.4, "9 other changes in 30 h"),
        (5, 0.01, None, 168, "hardly any other changes in a week"),
        (30, 2.5, 900, 168, "12 times its usual"),
        (3, 2.5, 900, 168, "1.2 times its usual"),
        (50, 0.0322, 10, 168, "1,553 times its usual"),
    ],
)
def test_how_unusual_a_title_is_in_words(
    counted: int, usual: float, before: int | None, hours: float, words: str
) -> None:
    row = UnusualTitle(
        **{**ORDINARY, "changes": counted, "per_minute": [counted]},
        counted=counted,
        usual=usual,
        surprise=1.0,
        before=before,
    )
    watched = BaselineTime(start=MIDNIGHT - WEEK, end=MIDNIGHT, watched_seconds=hours * 3600)
    assert usual_words(row, watched) == words


@pytest.fixture
def loaded(committed: CommittedChanges, refresh: Callable[[], bool]) -> None:
    changes = [Change(now(), title, f"User {n}") for n in range(3) for title in ("New", "Busy")]
    committed.commit(*changes, Change(now(), "Alone"))
    assert refresh()


@pytest.fixture
def usual(committed: CommittedChanges) -> None:
    write_baseline(
        committed.data_dir, {("enwiki", "Busy"): 300}, Covered(now() - WEEK, now(), WEEK.total_seconds())
    )


@pytest.mark.usefixtures("loaded", "usual")
def test_the_page_says_how_unusual_titles_are(client: FlaskClient) -> None:
    page = client.get("/?order=unusual").text
    assert page.index(">New<") < page.index("first changes in a week") < page.index(">Busy<")
    assert " times its usual" in page
    assert '<h2 id="board-heading">Unusual now</h2>' in page
    assert "Counted: edits and new pages, without bots, each change once" in page
    assert NOT_KNOWN not in page
    assert ">Alone<" not in page.split('id="feed"')[0]


@pytest.mark.usefixtures("loaded")
def test_without_a_baseline_it_says_so(client: FlaskClient) -> None:
    assert NOT_KNOWN in client.get("/?order=unusual").text
    assert NOT_KNOWN not in client.get("/").text


@pytest.mark.usefixtures("usual")
def test_where_nothing_is_unusual_it_says_so(
    client: FlaskClient, committed: CommittedChanges, refresh: Callable[[], bool]
) -> None:
    committed.commit(Change(now(), "Alone"))
    refresh()
    page = client.get("/?order=unusual").text
    assert "No title is changed more than usual by two editors or more." in page
    assert NOT_KNOWN not in page


@pytest.mark.usefixtures("loaded", "usual")
@pytest.mark.parametrize(
    ("at", "link", "to"),
    [
        ("/", "Unusual now", "./?order=unusual"),
        ("/?types=all&bots=exclude&window=1h", "Unusual now", "./?order=unusual&window=1h"),
        ("/?order=unusual&window=1h", "Most changed", "./?window=1h"),
        ("/?order=unusual&bots=exclude&types=edit,new", "Most changed", "./"),
        ("/?order=unusual", "as JSON", "api/v1/top?order=unusual"),
        ("/?order=unusual", "This list as CSV", "api/v1/top?format=csv&order=unusual"),
        ("/?order=unusual&window=1h", "why", "page?title=New&order=unusual&window=1h"),
        ("/page?title=New&order=unusual&window=1h", "← Live top of Wikipedia", "./?order=unusual&window=1h"),
        (
            "/page?title=New&order=unusual",
            "This list as CSV",
            "api/v1/changes?title=New&format=csv&bots=exclude&limit=200",
        ),
    ],
)
def test_links_keep_what_they_can(client: FlaskClient, at: str, link: str, to: str) -> None:
    page = client.get(at).text.replace("&amp;", "&")
    assert f'href="{to}"' in page
    assert f">{link}</a>" in page
    assert client.get(f"/{to.removeprefix('./')}").status_code == 200


@pytest.mark.usefixtures("loaded", "usual")
def test_the_page_of_a_title_counts_what_the_order_does(
    client: FlaskClient, committed: CommittedChanges, refresh: Callable[[], bool]
) -> None:
    committed.commit(Change(now(), "New", "Robot", bot=True))
    refresh()
    page = client.get("/page?title=New&order=unusual").text
    assert "Counted: edits and new pages, without bots, each change once" in page
    assert '<input type="hidden" name="order" value="unusual">' in page
    assert ">Robot<" not in page
    assert 'name="bots"' not in page
    assert ">Robot<" in client.get("/page?title=New").text
    # Of one user's changes none would be unusual.
    assert 'href="./?bots=exclude&amp;user=User+0"' in page


def test_the_page_of_a_title_refuses_what_the_order_does(client: FlaskClient) -> None:
    refused = client.get("/page?title=New&order=unusual&types=all")
    assert refused.status_code == 400
    assert "which order=unusual needs" in refused.text


@pytest.mark.usefixtures("loaded", "usual")
def test_a_form_that_is_sent_without_scripts_stays_in_its_order(client: FlaskClient) -> None:
    page = client.get("/?order=unusual").text
    assert '<input type="hidden" name="order" value="unusual">' in page
    assert 'name="bots"' not in page
    assert 'name="types"' not in page
    assert "Show the top without filters" not in page
    assert 'name="order"' not in client.get("/").text
    empty = client.get("/?order=unusual&namespace=7&wiki=")
    assert (empty.status_code, "Show the top without filters" in empty.text) == (200, True)
    assert 'href="./?order=unusual"' in empty.text
