"""docs/api.md against the running API's own description: routes, parameters, and the answers shown."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from wiki_web.data.bursts import Burst, BurstAnswer
from wiki_web.http.app import create_app
from wiki_web.http.atom import atom_feed
from wiki_web.http.parameters import Parameters
from wiki_web.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/api.md").read_text(encoding="utf-8")
DESCRIPTION = "/api/v1/openapi.json"


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The OpenAPI document of a server with default settings."""
    app = create_app(Settings(data_dir=tmp_path_factory.mktemp("data"), web_engine="duckdb"))
    document: dict[str, Any] = app.test_client().get(DESCRIPTION).get_json()
    return document


def lists(described: dict[str, Any]) -> dict[str, Any]:
    """The routes that answer a query as JSON."""
    stream = "/api/v1/stream"
    lists = (path for path in described["paths"] if path.startswith("/api/") and path != stream)
    return {path: described["paths"][path] for path in lists}


def table_after(heading: str) -> dict[str, str]:
    """The first column of the table below `heading`, with the line of each."""
    lines = PAGE.split(f"{heading}\n", 1)[1].split("\n#", 1)[0].splitlines()
    cells = (re.match(r"\| \[?`([^`]+)`", line) for line in lines)
    return {cell[1]: cell.string for cell in cells if cell}


def examples() -> list[tuple[str, dict[str, Any]]]:
    """The path that each JSON answer on the page was asked for, and the answer."""
    found = re.findall(r"curl '\S*?(/api/v1/\w+)[^']*'\n\n```json\n(.*?)\n```", PAGE, re.DOTALL)
    return [(path, json.loads(text)) for path, text in found]


def test_each_route_of_the_description_is_documented_and_no_other(described: dict[str, Any]) -> None:
    assert set(table_after("# The API")) == {*described["paths"], DESCRIPTION}


def test_each_route_has_a_line_of_curl(described: dict[str, Any]) -> None:
    asked = set(re.findall(r"^    curl .*?127\.0\.0\.1:5000(/[\w./]+)", PAGE, re.MULTILINE))
    assert {*described["paths"], DESCRIPTION, "/healthz", "/readyz", "/metrics"} <= asked


def test_each_parameter_of_the_description_is_documented_and_no_other(described: dict[str, Any]) -> None:
    operations = (path["get"] for path in lists(described).values())
    names = {parameter["name"] for operation in operations for parameter in operation["parameters"]}
    assert set(table_after("## Parameters")) == names


def test_a_parameter_is_said_to_be_missing_just_where_it_is(described: dict[str, Any]) -> None:
    said = {
        (name, f"/api/v1{route}")
        for name, line in table_after("## Parameters").items()
        for route in re.findall(r"not for `(/\w+)`", line)
    }
    missing = {
        (name, path)
        for path, methods in lists(described).items()
        for name in table_after("## Parameters")
        if name not in {parameter["name"] for parameter in methods["get"]["parameters"]}
    }
    assert said == missing


def test_the_defaults_are_those_of_the_description(described: dict[str, Any]) -> None:
    parameters = described["paths"]["/api/v1/changes"]["get"]["parameters"]
    for parameter in parameters:
        default = parameter["schema"].get("default")
        line = table_after("## Parameters")[parameter["name"]]
        shown = "all" if default is None else f"`{default}`"
        assert line.split("|")[2].strip().startswith(shown), line


def test_the_answers_shown_have_the_described_shape(described: dict[str, Any]) -> None:
    shown = examples()
    assert {path for path, _ in shown} == set(lists(described))
    for path, answer in shown:
        responses = described["paths"][path]["get"]["responses"]
        response, form = (
            ("400", "application/problem+json") if "status" in answer else ("200", "application/json")
        )
        schema = responses[response]["content"][form]["schema"]
        Draft202012Validator({**schema, "components": described["components"]}).validate(answer)


def test_the_event_shown_has_the_described_shape(described: dict[str, Any]) -> None:
    (data,) = re.findall(r"^data: (.*)$", PAGE, re.MULTILINE)
    schemas = described["components"]["schemas"]
    Draft202012Validator({**schemas["Newest"], "components": described["components"]}).validate(
        json.loads(data)
    )


def test_the_entry_shown_is_as_the_feed_has_it() -> None:
    ((asked, text),) = re.findall(r"feed\.atom\?(\S*)'\n.*?```xml\n(.*?)\n```", PAGE, re.DOTALL)
    parameters = Parameters(Settings())
    query, usual = (parameters.burst_query(parse_qs(each)) for each in (asked, ""))
    start = datetime(2026, 11, 25, 21, 51, 7, tzinfo=UTC)
    burst = Burst(
        id="urn:uuid:87b23fbc-46be-568b-b064-aee936c95fb0",
        wiki="enwiki",
        title="Zanlinton railway station",
        start=start,
        first=start - timedelta(minutes=31),
        last=start + timedelta(minutes=12),
        changes=23,
        editors=14,
        bytes=5120,
        url="https://en.wikipedia.org/wiki/Zanlinton_railway_station",
        comment="/* History */ copyedit",
    )
    feed = atom_feed(query, BurstAnswer(start, (burst,)), parameters.default(), usual)
    (entry,) = (each for each in ElementTree.fromstring(feed) if each.tag.endswith("}entry"))  # noqa: S314
    shown = ElementTree.fromstring(text)  # noqa: S314 - our own
    assert [(each.tag.partition("}")[2], each.attrib, each.text) for each in entry] == [
        (each.tag, each.attrib, each.text) for each in shown
    ]


def test_what_every_answer_says_is_what_the_descriptions_of_all_share(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    answers = (
        path["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        for path in lists(described).values()
    )
    names = re.findall(r"#/components/schemas/(\w+)", json.dumps(list(answers)))
    shared = set.intersection(*(set(schemas[name]["properties"]) for name in names))
    assert set(table_after("## What every answer says")) == shared
