"""Several wikis: counted apart, shown alone when asked, each with its own links; in the API and on pages."""

import csv
import html
import io
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from web.committed import Change, CommittedChanges, now

Refresh = Callable[[], bool]
KINDS = ["top", "timeline", "changes", "editors"]
WIKIDATA = "https://www.wikidata.org/wiki/"


@pytest.fixture
def two_wikis(committed: CommittedChanges, refresh: Refresh) -> None:
    """A title that both have, once and twice."""
    german = [Change(now(), "Berlin", "Bea", wiki="dewiki") for _ in range(2)]
    committed.commit(Change(now(), "Berlin", "Ada"), *german)
    assert refresh()


@pytest.mark.usefixtures("two_wikis")
@pytest.mark.parametrize("kind", KINDS)
def test_each_list_is_of_the_wikis_asked_for(client: FlaskClient, kind: str) -> None:
    counts = {"": 3, "?wiki=dewiki": 2, "?wiki=dewiki,enwiki": 3, "?wiki=frwiki": 0}
    for query, count in counts.items():
        assert client.get(f"/api/v1/{kind}{query}").get_json()["totals"]["changes"] == count


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "wiki", ["EN", "en.wikipedia.org", "a'b", "enwiki,", "*", ",".join(["enwiki"] * 9 + ["-"])]
)
def test_what_is_no_wikis_name_is_refused_by_each_list(client: FlaskClient, kind: str, wiki: str) -> None:
    response = client.get(f"/api/v1/{kind}", query_string={"wiki": wiki})
    assert response.status_code == 400
    assert response.get_json(force=True)["parameter"] == "wiki"


@pytest.mark.usefixtures("two_wikis")
def test_a_title_counts_on_each_wiki_for_itself_and_leads_there(client: FlaskClient) -> None:
    german, english = client.get("/api/v1/top").get_json()["titles"]
    assert (german["wiki"], german["changes"], english["wiki"], english["changes"]) == (
        "dewiki",
        2,
        "enwiki",
        1,
    )
    for row, domain in ((german, "de.wikipedia.org"), (english, "en.wikipedia.org")):
        assert row["url"] == f"https://{domain}/wiki/Berlin"
        assert row["history_url"] == f"https://{domain}/w/index.php?title=Berlin&action=history"
        assert row["diff_url"].startswith(f"https://{domain}/w/index.php?diff=")


@pytest.mark.usefixtures("two_wikis")
@pytest.mark.parametrize("kind", ["top", "changes"])
def test_csv_names_the_wiki_of_each_line(client: FlaskClient, kind: str) -> None:
    lines = csv.DictReader(io.StringIO(client.get(f"/api/v1/{kind}?format=csv").text, newline=""))
    assert {line["wiki"] for line in lines} == {"dewiki", "enwiki"}


@pytest.mark.parametrize("title", ["Q42", "Property:P31", "Lexeme:L1234"])
def test_what_wikidata_changes_is_named_by_its_id_and_leads_there(
    client: FlaskClient, committed: CommittedChanges, refresh: Refresh, title: str
) -> None:
    committed.commit(Change(now(), title, wiki="wikidatawiki", page_url=f"{WIKIDATA}{title}"), Change(now()))
    refresh()
    (row,) = client.get("/api/v1/top?wiki=wikidatawiki").get_json()["titles"]
    assert (row["title"], row["url"]) == (title, f"{WIKIDATA}{title}")
    assert row["history_url"].startswith("https://www.wikidata.org/w/index.php?title=")
    page = client.get("/").text
    assert f'href="{WIKIDATA}{title}" rel="noreferrer"><bdi>{title}</bdi>' in page
    (why,) = re.findall(r'href="(page[^"]*on=wikidatawiki[^"]*)"', page)
    assert f"<bdi>{title}</bdi>" in client.get(f"/{html.unescape(why)}").text


def offered(client: FlaskClient, path: str) -> list[str]:
    """The wikis that the page's form offers; none without that field."""
    field = re.search('<select name="wiki">(.*?)</select>', client.get(path).text, re.DOTALL)
    return re.findall('<option value="([^"]*)"', field[1]) if field else []


@pytest.mark.usefixtures("two_wikis")
@pytest.mark.parametrize("path", ["/?wiki=dewiki", "/page?title=Berlin&on=dewiki", "/?wiki=frwiki", "/"])
def test_who_looks_at_one_wiki_can_choose_another(client: FlaskClient, path: str) -> None:
    client.get("/api/v1/top")  # as a refresh does
    assert [wiki for wiki in offered(client, path) if wiki != "frwiki"] == ["", "dewiki", "enwiki"]


@pytest.mark.usefixtures("two_wikis")
def test_each_row_names_its_wiki_which_shows_that_one_alone(client: FlaskClient) -> None:
    page = client.get("/?bots=exclude").text
    links = re.findall(r'<td role="cell" class="on"><a href="([^"]*)"[^>]*>(\w+)</a>', page)
    assert links == [
        ("./?bots=exclude&amp;wiki=dewiki", "dewiki"),
        ("./?bots=exclude&amp;wiki=enwiki", "enwiki"),
    ]
    alone = client.get(f"/{html.unescape(links[0][0]).removeprefix('./')}").text
    assert re.findall("<dd>([^<]*)</dd>", alone) == ["2", "1", "1"]
    assert 'class="on"' not in alone
    assert 'class="wiki"' not in alone


def test_with_one_wiki_nothing_speaks_of_wikis(
    client: FlaskClient, committed: CommittedChanges, refresh: Refresh
) -> None:
    committed.commit(Change(now(), "A"), Change(now(), "B"))
    refresh()
    page = client.get("/").text
    assert offered(client, "/") == []
    assert 'class="on"' not in page
    assert "enwiki</" not in page
