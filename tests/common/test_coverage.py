"""What a footer says of coverage is read as it was written, and anything else is told."""

from datetime import UTC, datetime

import pytest

from wiki_common.coverage import Coverage, CoverageUnreadable, Gap

NOON = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "coverage", [Coverage(), Coverage(NOON), Coverage(NOON, (Gap(None, NOON), Gap(NOON, NOON)))]
)
def test_what_was_written_is_read(coverage: Coverage) -> None:
    assert Coverage.from_json(coverage.to_json()) == coverage


def test_the_text_is_plain_json() -> None:
    text = Coverage(NOON, (Gap(None, NOON),)).to_json()
    assert text == (
        '{"as_of":"2026-01-31T12:00:00.123456Z","gaps":[{"start":null,"end":"2026-01-31T12:00:00.123456Z"}]}'
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Invalid JSON"),
        ('{"as_of":"noon"}', "as_of"),
        ('{"gaps":[{"start":null}]}', "gaps.0.end"),
        ('{"as_of":"2026-01-31T12:00:00"}', "as_of"),  # of no zone
    ],
)
def test_what_is_none_is_told(text: str, reason: str) -> None:
    with pytest.raises(CoverageUnreadable, match=reason):
        Coverage.from_json(text)
