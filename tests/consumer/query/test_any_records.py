"""Whatever stands in the topic becomes a row or is counted; what the producer keeps is read as it was."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from pyspark.sql import Row, SparkSession

from consumer.query.test_changes import AT, NOW, judge, records, rows_of
from consumer.topics import event
from harness.fuzzing import drawn
from producer.relay.test_decide import json_values
from wiki_common.kafka.heartbeat import COVERED_FROM_HEADER
from wiki_common.volume import BatchId
from wiki_consumer.query import changes
from wiki_consumer.query.sink import split
from wiki_producer.relay.decide import Kept, decider

decide = decider(["*"])
KNOWN = event(1, at=AT)


def mutated(path: tuple[str, ...], value: object) -> str:
    made: dict[str, Any] = json.loads(json.dumps(KNOWN))
    parent = made
    for name in path[:-1]:
        parent = parent[name]
    parent[path[-1]] = value
    return json.dumps(made)


numbers = st.integers() | st.sampled_from(
    [-1, 0, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 10**400, 1e300, 0.5]
)
texts = st.text(max_size=20) | st.sampled_from(
    [
        "\0",
        "\ud800",
        "\ufffe",
        "\u2028",
        "\x85",
        "a\tb",
        '"',
        "\\",
        "2026-01-31T12:00:00Z",
        "canary",
        "true",
        "1",
        "",
    ]
)
paths = st.sampled_from(
    [(name,) for name in KNOWN]
    + [(parent, name) for parent in ("meta", "length", "revision") for name in KNOWN[parent]]
    + [("log_id",), ("unreadable",), ("new field",)]
)
events = st.builds(mutated, paths, json_values | numbers | texts)


def cut(text: str, at: int, by: str) -> bytes:
    """The event with something else in the middle of it."""
    return (text[: at % len(text)] + by + text[at % len(text) + 1 :]).encode("utf-8", "surrogatepass")


values = st.one_of(
    events.map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.builds(
        cut,
        events,
        st.integers(0, 1000),
        st.sampled_from(['"', "{", "}", "[", ",", ":", "\\", "\0", "\n", "9"]),
    ),
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"[" * 5000,
            b'{"meta":' * 2000,
            b'{"title":' + b"9" * 5000 + b"}",
            b"\xef\xbb\xbf" + json.dumps(KNOWN).encode(),
            json.dumps(KNOWN).encode("utf-16"),
            json.dumps(KNOWN).encode() + b"\n" + json.dumps(KNOWN).encode(),
            json.dumps(KNOWN).encode().replace(b"{", b'{"title":"twice",', 1),
        ]
    ),
)


def test_any_record_is_judged_and_what_is_kept_can_be_written(spark: SparkSession) -> None:
    tried = drawn(values, 600)
    judged = judge(spark, *tried)
    assert len(judged) == len(tried)
    known = {changes.KEPT, changes.HEARTBEAT, changes.MALFORMED, changes.FUTURE, changes.LATE}
    assert {row.verdict for row in judged} <= known
    headers = [(COVERED_FROM_HEADER, value) for value in drawn(st.binary(max_size=30), 20)]
    table = rows_of(records(spark, *tried, headers=headers)).toArrow()
    going_on = [row for row in judged if row.verdict in (changes.KEPT, changes.HEARTBEAT)]
    assert table.num_rows == len(going_on) > 100
    written = table.filter(table["event_time"].is_valid())
    assert sum(rows.num_rows for _, rows in split(written, BatchId("20260131T120000Z", 1), NOW)) == len(
        [row for row in judged if row.verdict == changes.KEPT]
    )


def test_what_the_producer_keeps_is_read_as_it_was_written(spark: SparkSession) -> None:
    kept = [decision for decision in map(decide, drawn(events, 400)) if isinstance(decision, Kept)]
    assert len(kept) > 100
    for decision, row in zip(kept, judge(spark, *(each.value for each in kept)), strict=True):
        assert row.verdict != changes.MALFORMED, decision
        assert row.event.unreadable is None, decision
        written = json.loads(decision.value)
        assert differing(written, row.event) == [], decision
        if "timestamp" in written:
            assert row.event_time == datetime.fromtimestamp(written["timestamp"], UTC).replace(tzinfo=None)


def differing(written: dict[str, Any], read: Row) -> Sequence[str]:
    """The fields of a record that the consumer reads otherwise than they were written."""
    found = []
    for name, value in read.asDict().items():
        expected = written.get(name)
        if isinstance(value, Row):
            found += [f"{name}.{inner}" for inner in differing(expected or {}, value)]
        elif value != expected:
            found.append(name)
    return found
