from datetime import timedelta

import pytest

from wiki_producer.duration import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("60s", 60), ("30m", 1800), ("24h", 86_400), ("7d", 604_800)]
)
def test_a_duration_is_an_integer_with_a_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "60", "s", "1.5s", "-1s", "0s", "1 s", "1w", "٣s", "9999999999d"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="positive integer with a unit"):
        parse_duration(text)
