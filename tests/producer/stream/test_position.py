import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.events import sse_id
from wiki_producer.stream.position import (
    REWIND_MS,
    After,
    Since,
    UnreadablePosition,
    oldest,
    parse_position,
    resume_after,
)

NOW = 1_795_474_801_000
AGE = 30 * 60_000


def test_a_position_lies_at_its_newest_timestamp() -> None:
    entries = [
        {"topic": "eqiad", "partition": 0, "timestamp": NOW - 3_600_000},
        {"topic": "codfw", "partition": 0, "timestamp": NOW},
    ]
    assert parse_position(json.dumps(entries)).timestamp == NOW


@given(st.integers(0, 10**6))
def test_rewinding_moves_every_timestamp_and_keeps_offsets(by_ms: int) -> None:
    entries = [
        {"topic": "a", "partition": 0, "timestamp": NOW},
        {"topic": "b", "partition": 1, "timestamp": 5},
        {"topic": "c", "partition": 0, "offset": 77},
    ]
    rewound = json.loads(parse_position(json.dumps(entries)).rewound(by_ms).last_event_id())
    assert rewound == [
        {"topic": "a", "partition": 0, "timestamp": NOW - by_ms},
        {"topic": "b", "partition": 1, "timestamp": max(0, 5 - by_ms)},
        {"topic": "c", "partition": 0, "offset": 77},
    ]


def test_a_partition_that_has_sent_nothing_resumes_at_the_position_and_not_at_its_end() -> None:
    rewound = json.loads(parse_position(sse_id(NOW)).rewound(2000).last_event_id())
    assert rewound[1] == {"topic": "codfw.mediawiki.recentchange", "partition": 0, "timestamp": NOW - 2000}


@pytest.mark.parametrize(
    "text",
    ["", "5", "[]", "{}", "x", "[{}]", '[{"topic":"a","partition":0,"offset":-1}]', b"\xff", "[" * 99_999],
)
def test_an_id_without_a_time_is_no_position(text: str | bytes) -> None:
    with pytest.raises(UnreadablePosition):
        parse_position(text)


@pytest.mark.parametrize(
    "entry",
    [
        {"topic": "a", "partition": 0, "timestamp": 10**30},
        {"topic": "a", "partition": 0, "timestamp": 253_402_300_800_000},
        {"topic": "a", "partition": 0, "timestamp": -1},
        {"topic": "a", "partition": 2**31, "timestamp": NOW},
        {"topic": "a", "partition": 0, "timestamp": NOW, "offset": 2**63},
    ],
)
def test_numbers_that_upstream_cannot_have_are_no_position(entry: dict[str, object]) -> None:
    with pytest.raises(UnreadablePosition):
        parse_position(json.dumps([entry]))


@given(st.text() | st.binary())
def test_any_text_is_a_position_or_none(text: str | bytes) -> None:
    with pytest.raises(UnreadablePosition):
        parse_position(text)


def test_the_oldest_position_counts() -> None:
    positions = [parse_position(sse_id(NOW + offset)) for offset in (5, -7, 0)]
    assert oldest(positions).timestamp == NOW - 7


def test_resuming_goes_back_by_the_rewind() -> None:
    point = resume_after(parse_position(sse_id(NOW - 1000)), now_ms=NOW, max_age_ms=AGE)
    assert isinstance(point, After)
    assert point.position.timestamp == NOW - 1000 - REWIND_MS


def test_what_is_too_old_resumes_at_the_age_limit_and_names_the_gap() -> None:
    point = resume_after(parse_position(sse_id(NOW - AGE - 1)), now_ms=NOW, max_age_ms=AGE)
    assert point == Since(NOW - AGE, gap_from_ms=NOW - AGE - 1)
