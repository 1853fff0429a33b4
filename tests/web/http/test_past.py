"""Past moments over HTTP: the API's answers, their ETag and errors, and the page of a moment."""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from harness.processes import wait_until
from web.committed import Change, CommittedChanges, now
from web.data.held import HOUR
from wiki_common.coverage import Coverage
from wiki_common.volume import hour_of
from wiki_web.data.engines.duckdb_engine import DuckDBEngine
from wiki_web.data.past.turns import MOST
from wiki_web.data.queries import Statement
from wiki_web.data.rows import Hour
from wiki_web.page.formats import rfc3339

KINDS = ["top", "timeline", "changes", "editors"]
SECOND = timedelta(seconds=1)


@pytest.fixture
def then(committed: CommittedChanges, refresh: Callable[[], bool]) -> datetime:
    """A moment in closed hours, with three changes of one title and one of another just before it."""
    hour = hour_of(now()) - 30 * HOUR
    then = hour + HOUR / 2
    committed.close_hour(
        hour, [Change(then - number * SECOND, "Then", "=Ada") for number in range(3)] + [Change(then, "Too")]
    )
    committed.commit(Change(now(), "Now"), covered=Coverage(now()))
    assert refresh()
    return then


def asked(client: FlaskClient, path: str, moment: datetime, **more: str) -> Any:
    return client.get(path, query_string={"to": rfc3339(moment), **more})


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_of_a_past_moment_has_the_described_shape(
    client: FlaskClient, then: datetime, kind: str
) -> None:
    answer = asked(client, f"/api/v1/{kind}", then, window="5m").get_json()
    described = client.get("/api/v1/openapi.json").get_json()
    shape = described["paths"][f"/api/v1/{kind}"]["get"]["responses"]["200"]["content"]["application/json"]
    Draft202012Validator({**shape["schema"], "components": described["components"]}).validate(answer)
    assert (answer["state"], answer["loading"], answer["gaps"]) == ("past", None, [])
    assert answer["as_of"] == answer["window"]["to"] == rfc3339(then)
    assert answer["window"]["from"] == rfc3339(then - timedelta(minutes=5))
    assert answer["totals"] == {"changes": 4, "titles": 2, "editors": 2}


def test_a_moment_is_the_same_in_any_zone(client: FlaskClient, then: datetime) -> None:
    elsewhere = f"{then + 2 * HOUR:%Y-%m-%dT%H:%M:%S}+02:00"
    here = asked(client, "/api/v1/top", then)
    there = client.get("/api/v1/top", query_string={"to": elsewhere})
    assert there.get_json() == here.get_json()
    assert there.headers["ETag"] == here.headers["ETag"]


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_past_answer_is_not_sent_again_whatever_is_committed(
    client: FlaskClient,
    committed: CommittedChanges,
    refresh: Callable[[], bool],
    then: datetime,
    form: str,
) -> None:
    first = asked(client, "/api/v1/top", then, format=form)
    committed.commit(Change(now(), "B"))
    refresh()
    again = client.get(
        "/api/v1/top",
        query_string={"to": rfc3339(then), "format": form},
        headers={"If-None-Match": first.headers["ETag"]},
    )
    assert (again.status_code, again.data) == (304, b"")
    assert first.headers["ETag"] != client.get(f"/api/v1/top?format={form}").headers["ETag"]


def test_its_csv_is_the_list_of_then(client: FlaskClient, then: datetime) -> None:
    lines = asked(client, "/api/v1/editors", then, format="csv").text.splitlines()
    assert lines[1].startswith("1,'=Ada,false,3,1,")


@pytest.mark.parametrize("path", ["/api/v1/top", "/"])
@pytest.mark.parametrize("hours", [-24 * 400, -31, 1])
def test_a_moment_out_of_reach_is_named_with_those_in_reach(
    client: FlaskClient, then: datetime, path: str, hours: int
) -> None:
    moment = now() + hours * HOUR
    response = asked(client, path, moment)
    problem = response.get_json(force=True)
    assert (response.status_code, problem["parameter"]) == (400, "to")
    assert problem["detail"].startswith(
        f"to: {rfc3339(moment)!r} is not a time after {rfc3339(hour_of(then))}"
    )


class GatedEngine(DuckDBEngine):
    """What it computes of past moments waits while the gate is shut, and is counted."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.computed = 0

    def compute(self, statement: Statement, hours: Sequence[Hour], rows: pa.Table) -> pa.Table:
        self.computed += 1
        assert self.gate.wait(60)
        return super().compute(statement, hours, rows)


@pytest.fixture
def duckdb_engine() -> Iterator[DuckDBEngine]:
    """Of the app; its gate is open but for tests that shut it."""
    engine = GatedEngine()
    engine.gate.set()
    yield engine
    engine.gate.set()
    engine.close()


def test_while_many_wait_others_are_told_when_to_ask_again_and_the_live_page_goes_on(
    app: Flask, client: FlaskClient, then: datetime, duckdb_engine: GatedEngine
) -> None:
    duckdb_engine.gate.clear()
    with ThreadPoolExecutor(MOST + 1) as pool:
        moments = [then - number * SECOND for number in range(MOST + 1)]
        asking = [pool.submit(asked, app.test_client(), "/api/v1/top", moment) for moment in moments]
        wait_until(lambda: any(each.done() for each in asking), timeout=60, what="one is refused")
        page = client.get("/", query_string={"to": rfc3339(then)}, headers={"Accept": "text/html"})
        live = client.get("/")
        (refused,) = (each.result() for each in asking if each.done())
        duckdb_engine.gate.set()
        answered = [each.result(60).status_code for each in asking]
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    assert refused.mimetype == "application/problem+json"
    assert (page.status_code, "one moment please" in page.text) == (503, True)
    assert (live.status_code, 'data-state="live"' in live.text) == (200, True)
    assert sorted(answered) == [200] * MOST + [503]


@pytest.mark.parametrize(("path", "given"), [("/", {}), ("/page", {"title": "Then"})])
def test_a_page_of_a_moment_says_so_and_leads_back_to_live(
    client: FlaskClient, then: datetime, path: str, given: dict[str, str]
) -> None:
    page = asked(client, path, then, **given).text
    assert 'data-state="past"' in page
    assert f"{then:%Y-%m-%d %H:%M:%S}</time> UTC" in page
    assert "Live</strong>" not in page
    assert 'http-equiv="refresh"' not in page
    assert "data-ago" not in page
    assert ">Pause<" not in page
    (back,) = re.findall('<a id="back-to-live" href="([^"]*)">Back to live</a>', page)
    assert back == ("page?title=Then" if given else "./")
    assert 'data-state="live"' in client.get(f"/{back.removeprefix('./')}").text


def test_the_links_of_a_moments_page_stay_at_the_moment(client: FlaskClient, then: datetime) -> None:
    page = asked(client, "/", then, window="5m").text
    links = re.findall('href="((?:page|api/v1/top)[^"]*)"', page)
    assert len(links) == 4
    assert all(f"to={rfc3339(then)}".replace(":", "%3A") in link for link in links)
    assert "5 min until" in page


@pytest.mark.parametrize("order", ["changes", "unusual"])
def test_the_first_titles_of_a_moment_have_their_reasons_by_what_is_read_for_its_newest_changes(
    client: FlaskClient,
    committed: CommittedChanges,
    then: datetime,
    duckdb_engine: GatedEngine,
    order: str,
) -> None:
    hour = hour_of(then)
    first = [Change(hour + n * SECOND, "First", f"User {n}", comment=f"reason {n}") for n in range(5)]
    later = [Change(then - n * SECOND, f"Later {n}") for n in range(60)]
    committed.close_hour(hour, first + later)
    page = asked(client, "/", then, order=order).text
    board, feed = page.split('id="feed"')
    assert re.findall("<q><bdi>(reason .)</bdi>", board) == ["reason 4", "reason 3", "reason 2"]
    assert feed.count("<li ") == 40
    assert "reason" not in feed
    assert duckdb_engine.computed == 3


def test_a_forms_field_gives_a_moment_of_utc(client: FlaskClient, then: datetime) -> None:
    by_field = client.get("/", query_string={"to": f"{then:%Y-%m-%dT%H:%M}"})
    assert by_field.data == asked(client, "/", then).data
    assert client.get("/api/v1/top", query_string={"to": f"{then:%Y-%m-%dT%H:%M}"}).status_code == 400


def test_a_page_of_a_moment_is_not_sent_again(
    client: FlaskClient, committed: CommittedChanges, refresh: Callable[[], bool], then: datetime
) -> None:
    first = asked(client, "/", then)
    committed.commit(Change(now(), "B"))
    refresh()
    headers = {"If-None-Match": first.headers["ETag"]}
    again = client.get("/", query_string={"to": rfc3339(then)}, headers=headers)
    assert (again.status_code, again.data) == (304, b"")


def test_an_address_without_a_moment_is_live(client: FlaskClient, then: datetime) -> None:
    assert client.get("/?to=").text.count('data-state="live"') == 1
    assert client.get("/api/v1/top").get_json()["state"] == "live"
