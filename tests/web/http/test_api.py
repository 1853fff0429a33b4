"""The API over HTTP: shapes held to its own description, ETags, errors that name the parameter."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from web.committed import Change, CommittedChanges, changes_table, now
from wiki_common.coverage import Coverage, Gap
from wiki_web.page.formats import rfc3339

KINDS = ["top", "timeline", "changes", "editors"]


@pytest.fixture
def loaded(committed: CommittedChanges, refresh: Callable[[], bool]) -> None:
    committed.commit(Change(now(), "=cmd()", "@Eve"), Change(now() - timedelta(minutes=3), "A"))
    assert refresh()


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("kind", KINDS)
def test_random_requests_get_answers_of_the_described_shape(app: Flask, kind: str) -> None:
    operation = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)[f"/api/v1/{kind}"]["GET"]

    @given(case=operation.as_strategy())
    @settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def conforms(case: Any) -> None:
        case.call_and_validate(
            checks=[
                not_a_server_error,
                status_code_conformance,
                content_type_conformance,
                response_schema_conformance,
            ]
        )

    conforms()


def described_answer(client: FlaskClient, kind: str, query: str = "") -> dict[str, Any]:
    """The answer, which must have the shape that the API's description gives it."""
    answer: dict[str, Any] = client.get(f"/api/v1/{kind}{query}").get_json()
    described = client.get("/api/v1/openapi.json").get_json()
    shape = described["paths"][f"/api/v1/{kind}"]["get"]["responses"]["200"]["content"]["application/json"]
    Draft202012Validator({**shape["schema"], "components": described["components"]}).validate(answer)
    return answer


LISTS = {"top": "titles", "timeline": "minutes", "changes": "changes", "editors": "editors"}


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_with_rows_has_the_described_shape(client: FlaskClient, kind: str) -> None:
    answer = described_answer(client, kind)
    assert len(answer[LISTS[kind]]) == (30 if kind == "timeline" else 2)
    assert answer["totals"]["changes"] == 2


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_with_unknown_times_has_the_described_shape(
    client: FlaskClient, committed: CommittedChanges, refresh: Callable[[], bool], kind: str
) -> None:
    began = Gap(None, now() - timedelta(minutes=2))
    committed.commit(Change(now()), covered=Coverage(now(), (began,)))
    assert refresh()
    answer = described_answer(client, kind)
    assert answer["counting_since"] == rfc3339(began.end)
    assert answer["gaps"] == [{"from": answer["window"]["from"], "to": rfc3339(began.end)}]


@pytest.mark.parametrize("kind", KINDS)
def test_what_upstream_left_out_is_null_as_described_and_not_shown(
    client: FlaskClient, committed: CommittedChanges, refresh: Callable[[], bool], kind: str
) -> None:
    rows = changes_table([Change(now(), "Bare", None), Change(now(), "Another", wiki="dewiki")])
    for place, field in enumerate(rows.schema):
        if field.name not in ("event_id", "event_time", "title"):
            kept = [None, rows[field.name][1].as_py()]
            rows = rows.set_column(place, field, pa.array(kept, field.type))
    committed.commit_table(pa.concat_tables([rows, changes_table([Change(now(), "Third")])]))
    refresh()
    answer = described_answer(client, kind, "?types=all")
    assert answer["totals"]["changes"] == 3
    for path in ("/?types=all", "/page?title=Bare&types=all"):
        page = client.get(path)
        assert page.status_code == 200
        assert ">None<" not in page.text


@pytest.mark.parametrize("kind", KINDS)
def test_before_any_commit_an_answer_has_the_same_shape(client: FlaskClient, kind: str) -> None:
    answer = described_answer(client, kind)
    assert (answer["state"], answer["as_of"]) == ("starting", None)
    assert answer["loading"] == {"done": 0, "of": 0}


@pytest.mark.usefixtures("loaded")
def test_top_has_the_newest_change_as_its_time(client: FlaskClient) -> None:
    answer = client.get("/api/v1/top").get_json()
    assert answer["state"] == "live"
    assert answer["as_of"] == answer["window"]["to"] == answer["titles"][0]["last_change"]
    assert answer["totals"] == {"changes": 2, "titles": 2, "editors": 2}
    assert [title["rank"] for title in answer["titles"]] == [1, 1]


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["json", "csv"])
def test_an_unchanged_answer_is_not_sent_again(client: FlaskClient, kind: str, form: str) -> None:
    first = client.get(f"/api/v1/{kind}?format={form}")
    again = client.get(f"/api/v1/{kind}?format={form}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.usefixtures("loaded")
def test_a_new_commit_has_another_etag(
    client: FlaskClient, committed: CommittedChanges, refresh: Callable[[], bool]
) -> None:
    first = client.get("/api/v1/top")
    committed.commit(Change(now(), "B"))
    refresh()
    again = client.get("/api/v1/top", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
    assert again.get_json()["totals"]["changes"] == 3


@pytest.mark.usefixtures("loaded")
def test_each_form_and_query_has_its_own_etag(client: FlaskClient) -> None:
    paths = ["top", "top?format=csv", "top?limit=1", "top?bots=only", "timeline", "changes?title=A"]
    etags = {client.get(f"/api/v1/{path}").headers["ETag"] for path in paths}
    assert len(etags) == len(paths)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("window=30", "window"),
        ("window=25h", "window"),
        ("window=59s", "window"),
        ("window=60001ms", "window"),
        ("window=٣٠m", "window"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=٣", "limit"),
        ("types=edits", "types"),
        ("types=all,edit", "types"),
        ("bots=yes", "bots"),
        ("editors=Anonymous", "editors"),
        ("editors=", "editors"),
        ("user=", "user"),
        ("user=_", "user"),
        ("user=a%00b", "user"),
        ("user=" + "a" * 301, "user"),
        ("namespace=a", "namespace"),
        ("namespace=" + ",".join(map(str, range(21))), "namespace"),
        ("wiki=EN", "wiki"),
        ("wiki=a'b", "wiki"),
        ("format=xml", "format"),
        ("to=now", "to"),
        ("to=2026-01-31T12:00:00", "to"),
        ("to=2026-01-31T12:00:00+01:00", "to"),
        ("nonsense=1", "nonsense"),
        ("limit=1&limit=2", "limit"),
        ("window=", "window"),
    ],
)
def test_a_bad_parameter_is_named(client: FlaskClient, query: str, parameter: str) -> None:
    response = client.get(f"/api/v1/top?{query}")
    assert response.status_code == 400
    assert response.mimetype == "application/problem+json"
    assert response.get_json(force=True)["parameter"] == parameter


@pytest.mark.parametrize(
    "title",
    [
        "می\u200cخواهم",  # a zero width non-joiner, of which Persian is full
        "ක්\u200dෂ",
        "👩\u200d🚀",
        "soft\u00adhyphen",
        "\U0002ebf0",  # of Unicode 15.1
        "\ue000",  # private use
        "a\u3000b",
    ],
)
def test_the_pages_own_link_to_a_title_works(
    client: FlaskClient, committed: CommittedChanges, refresh: Callable[[], bool], title: str
) -> None:
    committed.commit(Change(now(), title))
    refresh()
    (link,) = re.findall('href="(page[^"]*)"', client.get("/").text)
    response = client.get(f"/{html.unescape(link)}")
    assert response.status_code == 200
    assert f"<bdi>{title}</bdi>" in response.text
    answer = client.get("/api/v1/changes", query_string={"title": title}).get_json()
    assert [change["title"] for change in answer["changes"]] == [title]


@pytest.mark.parametrize(
    "title", ["", "a" * 301, "a\x00b", "_", "a\nb", "a\x7fb", "a\x85b", "a\u2028b", "a\u2029b"]
)
def test_a_bad_title_is_refused(client: FlaskClient, title: str) -> None:
    response = client.get("/api/v1/changes", query_string={"title": title})
    assert response.get_json(force=True)["parameter"] == "title"


@pytest.mark.parametrize("kind", KINDS)
def test_the_filters_by_editor_are_in_the_answer_and_make_another_one(
    client: FlaskClient, committed: CommittedChanges, refresh: Callable[[], bool], kind: str
) -> None:
    names = ("Ada", "10.0.0.1", "~2026-1-1", None)
    committed.commit(*(Change(now(), "A", name) for name in names))
    refresh()
    asked = ["", "?editors=anonymous", "?editors=registered", "?user=Ada", "?editors=anonymous&user=Ada"]
    found = [described_answer(client, kind, query) for query in asked]
    assert [answer["totals"]["changes"] for answer in found] == [4, 2, 1, 1, 0]
    filters = [(answer["filters"]["editors"], answer["filters"]["user"]) for answer in found]
    assert filters[0] == ("all", None)
    assert filters[-1] == ("anonymous", "Ada")
    assert len({client.get(f"/api/v1/{kind}{query}").headers["ETag"] for query in asked}) == 5


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE", "PATCH"])
def test_only_reading_is_allowed(client: FlaskClient, method: str) -> None:
    response = client.open("/api/v1/top", method=method)
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]


def test_a_body_is_refused(client: FlaskClient) -> None:
    assert client.get("/api/v1/top", data=b"x").status_code == 413


def test_an_overlong_query_is_refused(client: FlaskClient) -> None:
    assert client.get("/api/v1/top?title=" + "a" * 5000).status_code == 414


@pytest.mark.parametrize(
    "path", ["/", "/api/v1/top", "/api/v1/top?limit=x", "/nowhere", "/healthz", "/static/page.css"]
)
def test_every_response_carries_the_security_headers(client: FlaskClient, path: str) -> None:
    with client.get(path) as response:
        headers = response.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
