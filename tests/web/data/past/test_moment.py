"""A moment as text: what is one, which time it means, and how a form's field gives it."""

import pytest

from wiki_web.data.past.moment import field_text, from_field, moment_text, parse_moment

SECOND = 1_000_000
NOON_US = 1_769_860_800 * SECOND


@pytest.mark.parametrize(
    ("text", "moment_us"),
    [
        ("2026-01-31T12:00:00Z", NOON_US),
        ("2026-01-31t12:00:00z", NOON_US),
        ("2026-01-31T13:30:00+01:30", NOON_US),
        ("2026-01-31T07:00:00-05:00", NOON_US),
        ("2026-01-31T12:00:00.5Z", NOON_US + SECOND // 2),
        ("2026-01-31T12:00:00.000001Z", NOON_US + 1),
        ("2026-01-31T12:00:00.000001999Z", NOON_US + 1),
        ("1970-01-01T00:00:00+01:00", 0),
    ],
)
def test_a_time_in_rfc_3339_is_a_moment(text: str, moment_us: int) -> None:
    assert parse_moment(text) == moment_us


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31T12:00Z",
        "2026-01-31 12:00:00Z",
        "2026-01-31T12:00:00 01:00",  # a plus sign that was not encoded
        "2026-02-30T12:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:00:00+24:00",
        "٢026-01-31T12:00:00Z",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59Z",
        "1769860800",
    ],
)
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"RFC 3339|usual year|day"):
        parse_moment(text)


def test_a_moment_as_text_is_the_same_moment() -> None:
    assert moment_text(NOON_US) == "2026-01-31T12:00:00Z"
    assert moment_text(NOON_US + 1) == "2026-01-31T12:00:00.000001Z"
    assert parse_moment(moment_text(NOON_US + 1)) == NOON_US + 1


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("2026-01-31T12:00", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:07", "2026-01-31T12:00:07Z"),
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31", "2026-01-31"),
    ],
)
def test_a_fields_value_is_of_utc(field: str, text: str) -> None:
    assert from_field(field) == text


def test_a_field_has_whole_seconds() -> None:
    assert field_text(NOON_US + SECOND - 1) == "2026-01-31T12:00:00"
