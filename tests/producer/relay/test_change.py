import json
from importlib.resources import files
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.events import EDIT, edit, edit_without
from producer.relay.test_decide import json_values, paths, with_value_at
from wiki_common.event_time import EVENT_TIME_PATTERN
from wiki_producer.relay.change import Change, EventMeta, Length, Revision
from wiki_producer.relay.decide import Kept, decider

schema: dict[str, Any] = json.loads(
    (files("wiki_producer.relay") / "change.schema.json").read_text(encoding="utf-8")
)
validator = jsonschema.Draft202012Validator(schema)
decide = decider(["*"])


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    ("struct", "properties"),
    [
        (Change, schema["properties"]),
        (EventMeta, schema["properties"]["meta"]["properties"]),
        (Length, schema["properties"]["length"]["properties"]),
        (Revision, schema["properties"]["revision"]["properties"]),
    ],
)
def test_the_schema_names_the_fields_that_are_decoded(
    struct: type[msgspec.Struct], properties: dict[str, object]
) -> None:
    assert sorted(field.encode_name for field in msgspec.structs.fields(struct)) == sorted(properties)


@pytest.mark.parametrize(
    "data", [edit(), edit(user=None), edit_without("id", "length"), edit_without("timestamp")]
)
def test_changes_are_valid(data: str) -> None:
    decision = decide(data)
    assert isinstance(decision, Kept)
    validator.validate(json.loads(decision.value))


@pytest.mark.parametrize(
    "value", [{}, {"title": "x"}, {**EDIT, "title": ""}, {**EDIT, "id": 2**63}, {**EDIT, "log_params": 1}]
)
def test_the_schema_refuses_what_is_no_change(value: object) -> None:
    assert not validator.is_valid(value)


def test_the_schema_has_the_pattern_of_event_times() -> None:
    [_, without_timestamp] = schema["anyOf"]
    found = without_timestamp["properties"]["meta"]["properties"]["dt"]["pattern"]
    assert found == f"^{EVENT_TIME_PATTERN}$"


@given(path=paths, value=json_values)
def test_whatever_is_kept_is_valid(path: tuple[str, ...], value: object) -> None:
    decision = decide(with_value_at(path, value))
    if isinstance(decision, Kept):
        validator.validate(json.loads(decision.value))


@given(st.integers(-(2**70), 2**70))
@pytest.mark.parametrize("path", [("id",), ("namespace",), ("length", "old"), ("revision", "new")])
def test_schema_and_decoder_agree_on_numbers(path: tuple[str, ...], number: int) -> None:
    event = json.loads(with_value_at(path, number))
    for name in ("parsedcomment", "server_url", "server_script_path"):
        del event[name]
    assert isinstance(decide(json.dumps(event)), Kept) == validator.is_valid(event)
