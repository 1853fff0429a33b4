"""Where a request starts to read."""

import json
from typing import Any

import pytest

from stream_simulator.resume import HISTORY, TOPIC, InvalidPosition, first_index
from stream_simulator.timeline import Timeline

START = 1_790_000_000_000
TIMELINE = Timeline(START, rate=10)
NOW = START + 100_000


def at(last_event_id: Any = None, since: str = "", now: int = NOW) -> int:
    text = json.dumps(last_event_id) if last_event_id is not None else ""
    return first_index(TIMELINE, now, last_event_id=text, since=since)


def entry(**position: int) -> dict[str, Any]:
    return {"topic": TOPIC, "partition": 0} | position


def test_a_request_without_a_position_starts_now() -> None:
    assert at() == 1000


@pytest.mark.parametrize(
    "since", [str(START + 5000), "2026-09-21T14:13:25Z", "2026-09-21T14:13:25", "2026-09-21T16:13:25+02:00"]
)
def test_since_takes_milliseconds_or_a_date_utc_if_it_does_not_say(since: str) -> None:
    assert at(since=since) == 50


def test_last_event_id_starts_at_its_time_and_since_is_ignored_then() -> None:
    codfw = {"topic": "codfw.mediawiki.recentchange", "partition": 0, "offset": -1}
    assert at([entry(timestamp=START + 2001), codfw], since="not a date") == 21


def test_resuming_exactly_at_an_id_skips_the_other_event_of_its_millisecond() -> None:
    assert TIMELINE.time(6) == TIMELINE.time(7)
    assert at([entry(timestamp=TIMELINE.time(6) + 1)]) == 8
    assert at([entry(timestamp=TIMELINE.time(6) + 1 - 2000)]) == 0


def test_since_counts_where_last_event_id_assigns_nothing() -> None:
    assert at([], since=str(START)) == 0


def test_an_offset_is_an_index_and_minus_one_is_now() -> None:
    assert at([entry(offset=17)]) == 17
    assert at([entry(offset=-1)]) == 1000


def test_history_reaches_back_seven_days() -> None:
    assert at(since="0", now=START + HISTORY + 5000) == 50
    assert at([entry(offset=17)], now=START + HISTORY + 5000) == 50


@pytest.mark.parametrize("since", ["yesterday", "-5", "12.5", "2026-13-01", "١٢٣"])
def test_a_bad_since_is_refused_with_the_value(since: str) -> None:
    with pytest.raises(InvalidPosition, match=f"since .*{since}"):
        at(since=since)


@pytest.mark.parametrize(
    "last_event_id",
    [5, {"topic": TOPIC}, ["x"], [{"topic": TOPIC, "partition": 0}], [entry(timestamp="1")]],  # type: ignore[arg-type]
)
def test_a_bad_last_event_id_is_refused(last_event_id: Any) -> None:
    with pytest.raises(InvalidPosition, match="Last-Event-ID"):
        at(last_event_id)


def test_a_last_event_id_that_is_not_json_or_of_another_topic_is_refused() -> None:
    with pytest.raises(InvalidPosition, match="not JSON: abc"):
        first_index(TIMELINE, NOW, last_event_id="abc", since="")
    with pytest.raises(InvalidPosition, match=TOPIC):
        at([{"topic": "other", "partition": 0, "timestamp": 1}])
