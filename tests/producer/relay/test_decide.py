import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.event_times import EVENT_TIMES
from producer.events import CANARY, EDIT, edit, edit_of, edit_without
from wiki_producer.relay.decide import (
    DEFAULT_LIMITS,
    Dropped,
    DropReason,
    Kept,
    Rejected,
    RejectReason,
    decider,
)

decide = decider(["en.wikipedia.org"])
decide_all = decider(["*"])


def kept(data: str) -> Kept:
    decision = decide_all(data)
    assert isinstance(decision, Kept), decision
    return decision


def rejected(data: str) -> Rejected:
    decision = decide(data)
    assert isinstance(decision, Rejected), decision
    return decision


def test_a_change_is_keyed_by_its_title_and_projected() -> None:
    decision = kept(edit(title="Ünïcode 🎉"))
    value = json.loads(decision.value)
    assert decision.key == "Ünïcode 🎉".encode()
    assert decision.event_id == EDIT["meta"]["id"]
    left_out = {"parsedcomment", "server_url", "server_script_path"}
    assert value == {name: EDIT[name] for name in EDIT if name not in left_out} | {"title": "Ünïcode 🎉"}


@pytest.mark.parametrize("log_params", [[], {"a": 1}, "text", None])
def test_log_params_of_any_type_are_left_out(log_params: object) -> None:
    data = edit(type="log", log_id=2**33, log_type="block", log_action="block", log_params=log_params)
    value = json.loads(kept(data).value)
    assert "log_params" not in value
    assert value["log_id"] == 2**33


def test_absent_and_null_fields_are_left_out() -> None:
    value = json.loads(kept(edit(user=None, length={"old": None, "new": 5}, id=None)).value)
    assert {"user", "id"}.isdisjoint(value)
    assert value["length"] == {"new": 5}
    assert "user" not in json.loads(kept(edit_without("user", "id", "length", "revision")).value)


@pytest.mark.parametrize(
    "domain", ["de.wikipedia.org", "en.wikipedia.org.example", "xen.wikipedia.org", "EN.wikipedia.org"]
)
def test_domains_are_compared_exactly(domain: str) -> None:
    assert decide(edit_of(domain)) == Dropped(DropReason.OTHER_WIKI)
    assert isinstance(decide_all(edit_of(domain)), Kept)


def test_canary_events_are_dropped_even_when_all_wikis_are_wanted() -> None:
    assert decide_all(json.dumps(CANARY)) == Dropped(DropReason.CANARY)
    assert decide_all(edit_of("canary")) == Dropped(DropReason.CANARY)


def test_an_unreadable_event_of_another_wiki_is_dropped() -> None:
    data = json.dumps({"meta": {"domain": "de.wikipedia.org"}, "title": 5})
    assert decide(data) == Dropped(DropReason.OTHER_WIKI)


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        ("", "truncated"),
        ("<html>502</html>", "invalid character"),
        (edit()[:-20], "truncated"),
        ("[]", "Expected `object`, got `array`"),
        ("{}", "missing required field `meta`"),
        (edit_without("title"), "missing required field `title`"),
        (edit(title=None), "Expected `str`, got `null` - at `$.title`"),
        (edit(title=""), "length >= 1 - at `$.title`"),
        (edit(title=["x"]), "Expected `str`, got `array` - at `$.title`"),
        (edit(timestamp="soon"), "at `$.timestamp`"),
        (edit(timestamp=-1), ">= 0 - at `$.timestamp`"),
        (edit(id=2**63), "at `$.id`"),
        (edit(namespace=2**31), "at `$.namespace`"),
        (edit(length={"old": 1, "new": -(2**63)}), "Expected `int` >= 0 - at `$.length.new`"),
        (edit(length={"old": -1, "new": 1}), "Expected `int` >= 0 - at `$.length.old`"),
        (edit(length={"new": 2**31}), "at `$.length.new`"),
        (edit(length={"new": 1.5}), "at `$.length.new`"),
        (edit(bot="yes"), "at `$.bot`"),
        (edit(meta={"domain": "en.wikipedia.org"}), "missing required field `id` - at `$.meta`"),
        (edit_of(None), "at `$.meta.domain`"),
        (edit_without("timestamp").replace('"dt"', '"other"'), "neither `timestamp` nor `meta.dt`"),
        (edit_without("timestamp").replace("2026-11-23T23:00:01.123Z", "soon"), "neither `timestamp`"),
        (edit(log_params="?").replace('"?"', "[" * 200_000), "recursion"),
        (edit(title="?").replace('"?"', r'"\ud800"'), "end of hex escape"),
    ],
)
def test_what_is_no_change_is_rejected_with_a_reason_and_its_bytes(data: str, detail: str) -> None:
    decision = rejected(data)
    assert decision.reason is RejectReason.UNREADABLE
    assert detail in decision.detail
    assert decision.value == data.encode()


@pytest.mark.parametrize(("text", "accepted"), EVENT_TIMES)
def test_a_time_of_reception_that_is_needed_has_the_form_that_the_consumer_reads(
    text: str, accepted: bool
) -> None:
    """Which forms these are is the same table for both."""
    data = edit_without("timestamp", meta={**EDIT["meta"], "dt": text})
    decision = decide(data)
    if accepted:
        assert isinstance(decision, Kept)
    else:
        assert isinstance(decision, Rejected)
        assert "neither `timestamp` nor `meta.dt` says when it happened" in decision.detail


@pytest.mark.parametrize("url", ["https://[en.wikipedia.org/wiki/T", "", "javascript:alert(1)", "\x00"])
def test_an_address_of_the_page_that_is_none_is_no_reason_to_lose_a_change(url: str) -> None:
    assert json.loads(kept(edit(title_url=url, notify_url=url)).value)["title_url"] == url


def test_sizes_up_to_2_gib_are_kept() -> None:
    length = {"old": 0, "new": 2**31 - 1}
    assert json.loads(kept(edit(length=length)).value)["length"] == length


def test_the_time_of_reception_will_do_for_a_change_without_timestamp() -> None:
    assert "timestamp" not in json.loads(kept(edit_without("timestamp")).value)


def test_a_long_parsedcomment_is_no_matter() -> None:
    assert len(kept(edit(parsedcomment="x" * 3_000_000)).value) < 2000


def test_a_change_of_1_mb_is_kept() -> None:
    assert len(kept(edit(comment="x" * 1_000_000)).value) > 1_000_000


def test_a_change_too_large_for_a_record_is_rejected_and_cut() -> None:
    decision = rejected(edit(comment="x" * DEFAULT_LIMITS.change))
    assert decision.reason is RejectReason.TOO_LARGE
    assert "bytes after projection" in decision.detail
    assert f"value cut to {DEFAULT_LIMITS.rejected} of" in decision.detail
    assert len(decision.value) == DEFAULT_LIMITS.rejected


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
paths = st.sampled_from(
    [(name,) for name in EDIT]
    + [(parent, name) for parent in ("meta", "length", "revision") for name in EDIT[parent]]
    + [("log_id",), ("log_type",), ("log_action",), ("log_params",), ("new field",)]
)


def with_value_at(path: tuple[str, ...], value: object) -> str:
    event: dict[str, Any] = copy.deepcopy(EDIT)
    parent = event
    for name in path[:-1]:
        parent = parent[name]
    parent[path[-1]] = value
    return json.dumps(event)


@given(path=paths, value=json_values)
def test_any_value_in_any_field_is_a_valid_change_or_a_rejection_with_a_reason(
    path: tuple[str, ...], value: object
) -> None:
    data = with_value_at(path, value)
    decision = decide_all(data)
    match decision:
        case Kept():
            assert decision.key.decode() == json.loads(decision.value)["title"]
            assert decide_all(decision.value.decode()) == decision, "a projection is its own projection"
        case Rejected():
            assert decision.detail
            assert decision.value == data.encode()
        case Dropped():
            assert path == ("meta", "domain")


@given(
    data=st.text()
    | st.text(alphabet='{}[]",:\\u0dead1é')
    | st.binary().map(lambda raw: raw.decode("latin-1"))
)
def test_any_text_at_all_is_decided_on(data: str) -> None:
    assert isinstance(decide(data), Rejected | Dropped)


@given(number=st.integers(0, 3000))
def test_an_event_cut_anywhere_is_rejected(number: int) -> None:
    whole = edit()
    assert isinstance(decide(whole[: number % len(whole)]), Rejected)
