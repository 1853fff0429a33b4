import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from consumer.topics import event
from harness.event_times import EVENT_TIMES
from wiki_consumer.query import changes

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
AGE = timedelta(minutes=30)
AT = NOW.timestamp()
RECORD = (
    "value binary, partition int, offset long, timestamp timestamp,"
    " headers array<struct<key: string, value: binary>>"
)
SECOND = timedelta(seconds=1)


def records(
    spark: SparkSession,
    *values: dict[str, Any] | bytes | None,
    recorded_at: datetime = NOW,
    headers: Sequence[tuple[str, bytes]] = (),
) -> DataFrame:
    encoded = [json.dumps(value).encode() if isinstance(value, dict) else value for value in values]
    rows = [(value, 0, offset, recorded_at, headers) for offset, value in enumerate(encoded)]
    return spark.createDataFrame(rows, RECORD)


def judge(
    spark: SparkSession, *values: dict[str, Any] | bytes | None, recorded_at: datetime = NOW
) -> Sequence[Row]:
    parsed = changes.parse(records(spark, *values, recorded_at=recorded_at))
    return changes.judge(parsed, max_event_age=AGE, now=F.lit(NOW)).collect()


def rows_of(read: DataFrame) -> DataFrame:
    judged = changes.judge(changes.parse(read), max_event_age=AGE, now=F.lit(NOW))
    return changes.kept(judged, now=F.lit(NOW))


def rows(spark: SparkSession, *values: dict[str, Any] | bytes | None) -> Sequence[Row]:
    return rows_of(records(spark, *values)).collect()


def test_a_change_has_the_columns_of_the_contract(spark: SparkSession) -> None:
    kept = rows_of(records(spark, event(1, at=AT)))
    assert [f"{name} {type_}" for name, type_ in kept.dtypes[: len(changes.COLUMNS)]] == [
        "event_id string",
        "event_time timestamp",
        "wiki string",
        "domain string",
        "type string",
        "namespace int",
        "title string",
        "page_url string",
        "user string",
        "bot boolean",
        "minor boolean",
        "patrolled boolean",
        "comment string",
        "length_old bigint",
        "length_new bigint",
        "revision_old bigint",
        "revision_new bigint",
        "rc_id bigint",
        "diff_url string",
        "ingested_at timestamp",
        "date date",
    ]
    (row,) = kept.collect()
    assert (row.event_id, row.rc_id, row.revision_new) == ("event-1", 3_000_000_001, 5_000_000_002)
    assert (row.length_old, row.length_new, row.domain) == (100, 101, "en.wikipedia.org")
    assert row.diff_url == "https://en.wikipedia.org/w/index.php?diff=1"
    assert row.date == NOW.date()


def test_what_upstream_may_leave_out_is_null(spark: SparkSession) -> None:
    bare = {"meta": {"id": "a", "dt": "2026-01-31T11:59:59.250Z"}, "title": "T"}
    (row,) = rows(spark, bare)
    assert row.event_id == "a"
    assert {row[name] for name in ("user", "rc_id", "length_old", "revision_new", "page_url", "bot")} == {
        None
    }


def test_event_time_is_timestamp_else_meta_dt(spark: SparkSession) -> None:
    timestamps = [int(AT) - 60, None, "soon", 10**18, -1]
    parsed = changes.parse(records(spark, *(event(1, at=AT, timestamp=value) for value in timestamps)))
    times = [row[0] for row in parsed.select(F.col("event_time").cast("string")).collect()]
    assert times == ["2026-01-31 11:59:00", *["2026-01-31 12:00:00"] * 4]


@pytest.mark.parametrize(
    "time",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00.250Z",
        "2026-01-31T12:00:00.250000001Z",
        "2026-01-31T13:30:00+01:30",
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ],
)
def test_meta_dt_is_a_time_of_rfc_3339(spark: SparkSession, time: str) -> None:
    (row,) = changes.parse(records(spark, event(1, timestamp=None, meta={"dt": time}))).collect()
    expected = datetime.fromisoformat(time[:26] + "Z" if len(time) > 27 else time)
    assert row.event_time == expected.astimezone(UTC).replace(tzinfo=None)


def test_a_time_of_reception_is_one_for_us_if_it_is_for_the_producer(spark: SparkSession) -> None:
    ids = {f"event-{number}": text for number, (text, _) in enumerate(EVENT_TIMES)}
    events = [event(1, timestamp=None, meta={"id": name, "dt": text}) for name, text in ids.items()]
    judged = judge(spark, *events)
    assert {row.event.meta.id for row in judged} == ids.keys()
    told = {ids[row.event.meta.id]: (row.event_time is not None, row.verdict) for row in judged}
    assert {text: has_time for text, (has_time, _) in told.items()} == dict(EVENT_TIMES)
    assert {verdict for has_time, verdict in told.values() if not has_time} == {changes.MALFORMED}


@pytest.mark.parametrize("size", [-1, 2**31, 2**63 - 1, -(2**63)])
def test_a_size_that_no_page_can_have_is_null_and_counted(spark: SparkSession, size: int) -> None:
    values = event(1, at=AT, length={"old": 2**31 - 1, "new": size}), event(2, at=AT, length={"old": 0})
    sizes = [(row.length_old, row.length_new) for row in rows(spark, *values)]
    assert sizes == [(2**31 - 1, None), (0, None)]
    told = changes.parse(records(spark, *values)).select(changes.is_incomplete()).collect()
    assert [row[0] for row in told] == [True, False]


def test_a_value_that_names_no_change_is_malformed(spark: SparkSession) -> None:
    values: list[dict[str, Any] | bytes | None] = [
        None,
        b"",
        b"\xff\xfe",
        b"[]",
        b'"text"',
        b'{"meta": {"id": "a"',
        {},
        event(1, at=AT, meta=None),
        event(1, at=AT, meta={"id": "", "dt": "2026-01-31T12:00:00Z"}),
        event(1, at=AT, title=None),
        event(1, at=AT, title=""),
        event(1, at=AT, timestamp=None, meta={"id": "a", "dt": "yesterday"}),
        event(1, at=AT, timestamp=-1, meta={"id": "a"}),
    ]
    assert [row.verdict for row in judge(spark, *values)] == [changes.MALFORMED] * len(values)


def test_a_field_of_the_wrong_type_leaves_the_rest(spark: SparkSession) -> None:
    odd = event(1, at=AT, length="long", id={"a": 1}, namespace=99_999_999_999, bot="no")
    (row,) = rows(spark, odd)
    assert (row.length_new, row.rc_id, row.namespace, row.bot) == (None, None, None, None)
    assert (row.event_id, row.title, row.revision_old) == ("event-1", odd["title"], 5_000_000_001)
    (judged,) = judge(spark, odd)
    assert judged.event.unreadable is not None


def test_rows_beside_the_window_are_told_apart(spark: SparkSession) -> None:
    ages = [1801, 1800, 0, -300, -301, -365 * 86_400]
    verdicts = [row.verdict for row in judge(spark, *(event(1, at=AT - age) for age in ages))]
    assert verdicts == [
        changes.LATE,
        changes.KEPT,
        changes.KEPT,
        changes.KEPT,
        changes.FUTURE,
        changes.FUTURE,
    ]


@pytest.mark.parametrize("ahead", [600, 86_400])
def test_the_time_of_the_record_tells_too_what_is_in_the_future(spark: SparkSession, ahead: int) -> None:
    """A clock that is behind by a constant keeps the changes; one that is ahead of the stream's as well."""
    recorded_at = NOW + ahead * SECOND
    told = [300, 301]
    verdicts = [
        row.verdict
        for row in judge(spark, *(event(1, at=AT + ahead + by) for by in told), recorded_at=recorded_at)
    ]
    assert verdicts == [changes.KEPT, changes.FUTURE]
    (row,) = judge(spark, event(1, at=AT + 300), recorded_at=NOW - ahead * SECOND)
    assert row.verdict == changes.KEPT


def heartbeat(at: str | None) -> dict[str, Any]:
    return {"meta": {"id": "unique", "dt": at, "domain": "canary"}}


def coverage(read: DataFrame) -> list[tuple[datetime | None, datetime | None]]:
    return [(row.covered_until, row.covered_from) for row in rows_of(read).collect()]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)


def test_a_heartbeat_is_a_row_of_its_own_kind(spark: SparkSession) -> None:
    odd = heartbeat("2026-01-31T11:59:59.250Z") | {"title": "T", "timestamp": int(AT)}
    values = [heartbeat("2026-01-31T11:59:59.250Z"), odd, heartbeat("soon"), event(1, at=AT)]
    assert [row.verdict for row in judge(spark, *values)] == [*[changes.HEARTBEAT] * 3, changes.KEPT]
    *beats, change = rows(spark, *values)
    assert {row.event_time for row in beats} == {row.date for row in beats} == {None}
    assert len({row.event_id for row in beats}) == 3
    assert [row.covered_until for row in beats] == [utc("2026-01-31T11:59:59.250Z")] * 2 + [None]
    assert change.event_time is not None


def test_each_row_tells_up_to_when_all_is_read_but_not_beyond_its_record(spark: SparkSession) -> None:
    """A change that its author dated ahead, or whose meta.dt is ahead, tells no more than its record."""
    dated = event(1, at=AT + 240, meta={"id": "a", "dt": "2026-01-31T11:59:58.5Z"})
    ahead, bare = event(2, at=AT + 240), event(3, at=AT - 60, meta={"id": "b"})
    read = records(spark, dated, ahead, bare, heartbeat("2026-01-31T12:04:00Z"))
    until = [utc(f"2026-01-31T{time}Z") for time in ("11:59:58.500", "12:00:00", "11:59:00", "12:00:00")]
    assert coverage(read) == [(time, None) for time in until]


@pytest.mark.parametrize(
    ("headers", "begins"),
    [
        ([], None),
        (
            [("last-event-id", b"[]"), ("covered-from", b"2026-01-31T11:58:00.500Z")],
            "2026-01-31T11:58:00.500Z",
        ),
        ([("covered-from", b"2026-01-31T12:10:00Z")], "2026-01-31T12:00:00Z"),
        ([("covered-from", b"soon")], None),
        ([("covered-from", b"\xff")], None),
    ],
)
def test_a_heartbeat_may_begin_a_coverage(
    spark: SparkSession, headers: list[tuple[str, bytes]], begins: str | None
) -> None:
    read = records(spark, heartbeat("2026-01-31T11:59:00Z"), event(1, at=AT), headers=headers)
    (_, beat), (_, change) = coverage(read)
    assert beat == (begins and utc(begins))
    assert change is None


def test_a_strangers_text_comes_through_unchanged(spark: SparkSession) -> None:
    title = "<script>alert(1)</script> \u202e עברית 🦊 'quoted\" \\ \u0000"
    (row,) = rows(spark, event(1, at=AT, title=title))
    assert row.title == title
