"""A check that hangs or breaks is a line like any other."""

import time
from collections.abc import Iterator

from wiki_common.doctor.bounded import findings_of
from wiki_common.doctor.finding import Check, Finding, Level, ok


def hangs() -> Iterator[Finding]:
    yield ok("first", "found")
    time.sleep(600)


def breaks() -> Iterator[Finding]:
    yield ok("first", "found")
    raise ValueError("two\nlines")


def test_what_is_found_in_time_is_told_and_the_rest_is_not_waited_for() -> None:
    began = time.monotonic()
    first, last = findings_of(Check("broker", hangs), seconds=0.2)
    assert time.monotonic() - began < 10
    assert first == ok("first", "found")
    assert (last.what, last.level) == ("broker", Level.PROBLEM)
    assert last.detail.startswith("no answer within 0 s: ")


def test_an_error_that_nobody_thought_of_is_a_problem_in_one_line() -> None:
    first, last = findings_of(Check("broker", breaks))
    assert first == ok("first", "found")
    assert (last.what, last.level) == ("broker", Level.PROBLEM)
    assert "(ValueError: two lines)" in last.detail
