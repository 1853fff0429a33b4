"""The pages over HTTP: while a load ends, from the cache, compressed, and not again when nothing changed."""

import gzip
import re
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from harness.processes import wait_until
from web.committed import Change, CommittedChanges, changes_table, now
from wiki_common.coverage import Coverage, Gap
from wiki_web.data.answer_cache import AnswerCache, CachedAnswer
from wiki_web.data.queries import Query


@pytest.fixture
def load_ends_after_the_first_answer(
    monkeypatch: pytest.MonkeyPatch, committed: CommittedChanges, refresh: Callable[[], bool]
) -> None:
    """The first answer is from before the load, what follows in the same request is from after it."""
    committed.commit(Change(now(), "A"))
    answer = AnswerCache.get

    def then_load(answers: AnswerCache, query: Query) -> CachedAnswer:
        answered = answer(answers, query)
        refresh()
        return answered

    monkeypatch.setattr(AnswerCache, "get", then_load)


@pytest.mark.usefixtures("load_ends_after_the_first_answer")
@pytest.mark.parametrize("path", ["/", "/page?title=A"])
def test_a_page_asked_for_while_the_load_ends_is_a_start_then_live(client: FlaskClient, path: str) -> None:
    first, second = client.get(path), client.get(path)
    assert (first.status_code, second.status_code) == (200, 200)
    assert 'data-state="starting"' in first.text
    assert 'data-state="live"' in second.text


@pytest.mark.usefixtures("load_ends_after_the_first_answer")
def test_an_answer_without_a_time_is_not_live(client: FlaskClient) -> None:
    answers = [client.get("/api/v1/top").get_json() for _ in range(2)]
    assert [answer["state"] for answer in answers] == ["starting", "live"]
    assert [answer["as_of"] is None for answer in answers] == [True, False]
    assert [answer["loading"] is None for answer in answers] == [False, True]


def behind(client: FlaskClient) -> str:
    """How far the page says it is behind, without scripts."""
    (words,) = re.findall('<span id="behind">([^<]*)</span> behind', client.get("/").text)
    return str(words)


def test_without_scripts_a_page_that_gets_no_commits_tells_how_far_it_is_behind(
    client: FlaskClient, committed: CommittedChanges, refresh: Callable[[], bool]
) -> None:
    committed.commit_table(changes_table([Change(now() - timedelta(seconds=9))]), at=time.time() - 9)
    refresh()
    first = behind(client)
    # Sooner than the page turns stale, which is shown by a new page anyway.
    wait_until(lambda: behind(client) != first, timeout=15, what="the page tells the time anew")


def test_times_on_the_page_are_told_from_now_on_not_from_the_newest_change(
    client: FlaskClient, committed: CommittedChanges, refresh: Callable[[], bool]
) -> None:
    committed.commit(Change(now() - timedelta(minutes=2, seconds=10)))
    refresh()
    assert behind(client) == "2 min"
    assert re.findall("data-ago>([^<]*)<", client.get("/").text) == ["2 min ago"]


def coverage_words(client: FlaskClient, path: str = "/") -> list[str]:
    return re.findall('<p class="coverage">([^<]*)</p>', client.get(path).text)


def test_beside_the_totals_it_says_of_which_part_of_the_window_they_are(
    client: FlaskClient, committed: CommittedChanges, refresh: Callable[[], bool]
) -> None:
    minute, start = timedelta(minutes=1), now()
    gaps = [Gap(start - minutes * minute, start - (minutes - 2) * minute) for minutes in (8, 15)]
    committed.commit(Change(start, "A"), covered=Coverage(start, (Gap(None, start - 25 * minute), *gaps)))
    refresh()
    since = f"{start - 25 * minute:%H:%M}"
    assert coverage_words(client) == [f"counting since {since}", "not known: 4 min in 2 gaps"]
    lost = f"not known: {start - 8 * minute:%H:%M} to {start - 6 * minute:%H:%M}"
    assert coverage_words(client, "/page?title=A&window=10m") == [lost]
    assert coverage_words(client, "/?window=5m") == []
    assert "data-unknown><td>" in client.get("/").text


def test_a_wiki_without_any_change_yet_is_live_and_the_page_says_what_to_check(
    client: FlaskClient, committed: CommittedChanges, refresh: Callable[[], bool]
) -> None:
    committed.commit(covered=Coverage(now(), (Gap(None, now() - timedelta(minutes=2)),)))
    refresh()
    page = client.get("/").text
    assert 'data-state="live"' in page
    assert "Counting since" in page
    assert "WIKI_DOMAINS" in page
    assert "Show the top without filters" not in page
    filtered = client.get("/?bots=only").text
    assert "WIKI_DOMAINS" not in filtered
    assert "Show the top without filters" in filtered


@pytest.fixture
def loaded(committed: CommittedChanges, refresh: Callable[[], bool]) -> None:
    committed.commit(Change(now(), "A"))
    assert refresh()


PATHS = ["/", "/page?title=A"]


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_compressed_for_those_who_take_it_so(client: FlaskClient, path: str) -> None:
    plain = client.get(path)
    compressed = client.get(path, headers={"Accept-Encoding": "gzip, br"})
    refused = client.get(path, headers={"Accept-Encoding": "gzip;q=0"})
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(compressed.data) == plain.data == refused.data
    assert len(compressed.data) < len(plain.data) / 2
    for response in (plain, compressed, refused):
        assert "Accept-Encoding" in response.vary
        assert response.headers["Cache-Control"] == "no-cache"
    assert "Content-Encoding" not in plain.headers
    assert plain.headers["ETag"] == refused.headers["ETag"] != compressed.headers["ETag"]


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("encoding", ["", "gzip"])
@pytest.mark.parametrize("path", PATHS)
def test_an_unchanged_page_is_not_sent_again_and_a_changed_one_is(
    client: FlaskClient, committed: CommittedChanges, refresh: Callable[[], bool], path: str, encoding: str
) -> None:
    headers = {"Accept-Encoding": encoding}
    first = client.get(path, headers=headers)
    headers["If-None-Match"] = first.headers["ETag"]
    again = client.get(path, headers=headers)
    assert (again.status_code, again.data) == (304, b"")
    assert "Accept-Encoding" in again.vary
    committed.commit(Change(now(), "A"))
    refresh()
    changed = client.get(path, headers=headers)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("path", [*PATHS, "/api/v1/top", "/api/v1/changes?format=csv", "/readyz"])
def test_head_is_get_without_the_body(client: FlaskClient, path: str) -> None:
    got, head = client.get(path), client.head(path)
    assert (head.status_code, head.data) == (200, b"")
    for name in ("Content-Type", "Content-Length", "ETag", "Vary"):
        assert head.headers.get(name) == got.headers.get(name)


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("path", PATHS)
def test_parameters_of_others_are_ignored_on_pages_and_in_no_link(client: FlaskClient, path: str) -> None:
    """Mailings and social networks add theirs to every address that is clicked there."""
    joint = "&" if "?" in path else "?"
    plain, tracked = (
        client.get(f"{path}{joint}bots=only"),
        client.get(f"{path}{joint}bots=only&fbclid=abc&utm_source=x"),
    )
    assert tracked.status_code == 200
    assert "fbclid" not in tracked.text
    assert re.findall('href="[^"]*"', tracked.text) == re.findall('href="[^"]*"', plain.text)


@pytest.mark.parametrize("query", ["window=9y&fbclid=abc", "limit=x", "bots=only&bots=include"])
def test_a_wrong_parameter_of_ours_is_still_told(client: FlaskClient, query: str) -> None:
    assert client.get(f"/?{query}").status_code == 400


def test_the_api_refuses_parameters_of_others(client: FlaskClient) -> None:
    assert client.get("/api/v1/top?fbclid=abc").get_json(force=True)["parameter"] == "fbclid"


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("path", [*PATHS, "/nowhere", "/a/b/nowhere", "/?window=9y"])
def test_no_page_has_an_address_that_begins_at_the_hosts_root(client: FlaskClient, path: str) -> None:
    """Below a prefix of a reverse proxy, such an address leads elsewhere."""
    page = client.get(path, headers={"Accept": "text/html"}).text
    addresses = re.findall('(?:href|src|action|data-at)="([^"]*)"', page)
    assert addresses
    assert [address for address in addresses if address.startswith("/")] == []
