"""Events as text: upstream's fields, canaries, malformed and huge ones, and the ledger's line about each."""

import json
from collections import defaultdict
from typing import Any

import pytest

from stream_simulator.catalogue import Catalogue
from stream_simulator.stream import CANARY_EVERY, Event, Stream
from stream_simulator.timeline import Timeline

TIMELINE = Timeline(1_790_000_000_000, rate=33)
COMMON = {
    *("$schema", "meta", "type", "namespace", "title", "title_url", "comment", "timestamp", "bot"),
    *("server_url", "server_name", "server_script_path", "wiki", "parsedcomment"),
}
META = {"uri", "request_id", "id", "dt", "domain", "stream", "topic", "partition", "offset"}
EDIT = COMMON | {"id", "user", "notify_url", "minor", "patrolled", "length", "revision"}
LOG = COMMON | {"user", "log_id", "log_type", "log_action", "log_params", "log_action_comment"}


def data_of(event: Event) -> str:
    name, id_, data, *end = event.message.split("\n")
    assert name == "event: message"
    assert id_.startswith("id: [")
    assert end == ["", ""]
    return data.removeprefix("data: ")


@pytest.fixture(scope="module")
def stream(catalogue: Catalogue) -> Stream:
    return Stream(catalogue, TIMELINE)


@pytest.fixture(scope="module")
def by_type(stream: Stream) -> dict[str, list[dict[str, Any]]]:
    events: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for index in range(4000):
        content = json.loads(data_of(stream[index]))
        events[content.get("type", "canary")].append(content)
    return events


def test_edits_have_all_of_upstreams_fields(by_type: dict[str, list[dict[str, Any]]]) -> None:
    assert {frozenset(edit) for edit in by_type["edit"]} == {frozenset(EDIT), frozenset(EDIT - {"user"})}
    edit = by_type["edit"][0]
    assert set(edit["meta"]) == META
    assert edit["meta"]["domain"] == edit["server_name"]
    assert set(edit["length"]) == set(edit["revision"]) == {"old", "new"}
    assert min(edit["id"], edit["revision"]["old"]) > 2**31


def test_new_pages_have_no_old_length(by_type: dict[str, list[dict[str, Any]]]) -> None:
    assert all(set(new["length"]) == set(new["revision"]) == {"new"} for new in by_type["new"])


def test_categorizations_have_neither_length_nor_revision(by_type: dict[str, list[dict[str, Any]]]) -> None:
    assert all("length" not in event and event["namespace"] == 14 for event in by_type["categorize"])


def test_log_events_vary_in_id_and_parameters(by_type: dict[str, list[dict[str, Any]]]) -> None:
    assert all(set(event) - {"id"} <= LOG for event in by_type["log"])
    assert {type(event.get("id", "absent")) for event in by_type["log"]} == {int, type(None), str}
    assert {type(event["log_params"]) for event in by_type["log"]} == {dict, list, str}


def test_canary_events_carry_only_schema_and_meta(
    stream: Stream, by_type: dict[str, list[dict[str, Any]]]
) -> None:
    assert len(by_type["canary"]) == 4000 // CANARY_EVERY
    for canary in by_type["canary"]:
        assert set(canary) == {"$schema", "meta"}
        assert canary["meta"]["domain"] == "canary"
    line = json.loads(stream[CANARY_EVERY - 1].line)
    assert (line["kind"], line["domain"], line["title"]) == ("canary", "canary", None)


def test_an_id_is_a_millisecond_later_than_its_event(stream: Stream) -> None:
    event = stream[7]
    dated, undated = json.loads(event.message.split("\n")[1].removeprefix("id: "))
    assert dated == {
        "topic": "eqiad.mediawiki.recentchange",
        "partition": 0,
        "timestamp": TIMELINE.time(7) + 1,
    }
    assert undated == {"topic": "codfw.mediawiki.recentchange", "partition": 0, "offset": -1}
    assert json.loads(data_of(event))["meta"]["dt"] == "2026-09-21T14:13:20.181Z"


def test_a_line_says_what_its_event_says(stream: Stream) -> None:
    for index in range(500):
        content, line = json.loads(data_of(stream[index])), json.loads(stream[index].line)
        assert line == {
            "index": index,
            "id": content["meta"]["id"],
            "kind": "change",
            "domain": content["meta"]["domain"],
            **{field: content[field] for field in ("type", "title", "namespace", "bot", "timestamp")},
            "user": content.get("user"),
            "time": TIMELINE.time(index),
            "length_old": content.get("length", {}).get("old"),
            "length_new": content.get("length", {}).get("new"),
        }


def test_malformed_events_stay_at_their_index_and_show_in_the_ledger(catalogue: Catalogue) -> None:
    stream = Stream(catalogue, TIMELINE, malformed_every=10)
    lines = [json.loads(stream[index].line) for index in range(50)]
    kinds = [line["kind"] for line in lines if line["kind"] != "change"]
    assert kinds == ["malformed", "unreadable", "unreadable", "unreadable", "malformed"]
    assert [line["index"] for line in lines if line["kind"] != "change"] == [9, 19, 29, 39, 49]
    assert [lines[index]["domain"] for index in (9, 19, 29, 39, 49)] == ["en.wikipedia.org"] * 4 + [None]


def test_malformed_events_are_not_json_and_unreadable_ones_lack_a_title_or_have_wrong_types(
    catalogue: Catalogue,
) -> None:
    stream = Stream(catalogue, TIMELINE, malformed_every=10)
    texts = [data_of(stream[index]) for index in (9, 19, 29, 39, 49)]
    for text in (texts[0], texts[4]):
        with pytest.raises(json.JSONDecodeError):
            json.loads(text)
    untitled, listed, dated = map(json.loads, texts[1:4])
    assert "title" not in untitled
    assert isinstance(listed["title"], list)
    assert dated["timestamp"] == "soon"
    assert {event["meta"]["domain"] for event in (untitled, listed, dated)} == {"en.wikipedia.org"}


def test_a_huge_event_is_a_readable_change_of_1_mb(catalogue: Catalogue) -> None:
    event = Stream(catalogue, TIMELINE, huge_every=10)[9]
    content = json.loads(data_of(event))
    assert len(content["comment"]) == 1_000_000
    assert (content["type"], content["meta"]["domain"]) == ("edit", "en.wikipedia.org")
    assert json.loads(event.line)["kind"] == "huge"


def test_other_events_are_the_same_with_and_without_malformed_ones(
    catalogue: Catalogue, stream: Stream
) -> None:
    assert Stream(catalogue, TIMELINE, malformed_every=10, huge_every=7)[12] == stream[12]


def test_a_quiet_wiki_has_every_nth_event_alone_while_the_others_flow(
    catalogue: Catalogue, stream: Stream
) -> None:
    quiet = Stream(catalogue, TIMELINE, english_every=CANARY_EVERY)
    lines = [json.loads(quiet[index].line) for index in range(3 * CANARY_EVERY)]
    english = [line for line in lines if line["domain"] == "en.wikipedia.org"]
    assert [line["index"] for line in english] == [
        CANARY_EVERY - 1,
        2 * CANARY_EVERY - 1,
        3 * CANARY_EVERY - 1,
    ]
    assert {(line["kind"], line["type"]) for line in english} == {("change", "edit")}
    before = [json.loads(stream[index].line) for index in range(3 * CANARY_EVERY)]
    assert [line["id"] for line in lines] == [line["id"] for line in before]
    others = [line for line, old in zip(lines, before, strict=True) if old["domain"] != "en.wikipedia.org"]
    assert [line for line in others if line["kind"] != "change"] == []
    assert len({line["domain"] for line in others}) > 20
