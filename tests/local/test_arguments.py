import argparse

import pytest

from local_stack.arguments import number_between


@pytest.mark.parametrize(("text", "value"), [("1", 1.0), ("2.5", 2.5), ("1440", 1440.0)])
def test_a_number_in_the_range_is_taken(text: str, value: float) -> None:
    assert number_between(1, 1440)(text) == value


@pytest.mark.parametrize("text", ["0.5", "1441", "nan", "inf", "an hour", ""])
def test_what_is_none_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as refusal:
        number_between(1, 1440)(text)
    assert str(refusal.value) == f"{text!r} is not a number from 1 to 1440"
