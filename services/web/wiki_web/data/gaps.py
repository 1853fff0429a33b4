"""Times that nobody watched, in µs: what footers tell as spans, joined, and cut to what is asked about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from wiki_common.coverage import Gap
from wiki_web.data.rows import microseconds

BEFORE_ALL: Final = -(2**63)
"""The start of a span before which nothing was watched."""


@dataclass(frozen=True, order=True)
class Span:
    """After `start_us`, up to and with `end_us`, nothing is known."""

    start_us: int
    end_us: int


def span_of(gap: Gap, known_us: int | None) -> Span:
    """A gap without a start begins at `known_us`, up to which it was watched; without that, before all."""
    end_us = microseconds(gap.end)
    if gap.start is not None:
        return Span(microseconds(gap.start), end_us)
    return Span(BEFORE_ALL if known_us is None else known_us, end_us)


def joined(spans: Iterable[Span], horizon_us: int) -> tuple[Span, ...]:
    """The spans that reach past `horizon_us`, oldest first; those that touch or overlap are one."""
    found: list[Span] = []
    for span in sorted(each for each in spans if each.end_us > max(each.start_us, horizon_us)):
        if found and span.start_us <= found[-1].end_us:
            span = Span(found[-1].start_us, max(found.pop().end_us, span.end_us))
        found.append(span)
    return tuple(found)


def cut(gaps: Sequence[Span], from_us: int, to_us: int) -> tuple[Span, ...]:
    """What of the joined `gaps` lies in (from, to]."""
    inside = (Span(max(gap.start_us, from_us), min(gap.end_us, to_us)) for gap in gaps)
    return tuple(span for span in inside if span.start_us < span.end_us)


def counting_since(gaps: Sequence[Span], from_us: int, to_us: int) -> int | None:
    """When watching began, if that lies in (from, to]."""
    began = next((gap.end_us for gap in gaps if gap.start_us == BEFORE_ALL), None)
    return began if began is not None and from_us < began <= to_us else None


def nothing_known(gaps: Sequence[Span], from_us: int, to_us: int) -> bool:
    """Whether all of (from, to] lies in one of the joined `gaps`."""
    return any(gap.start_us <= from_us and to_us <= gap.end_us for gap in gaps)
