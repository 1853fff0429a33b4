"""How surprising a title's changes are, against what is usual for it.

A title's rate is a Gamma distribution: what is known of titles like it (those of its wiki and namespace that
were changed at all in the week) counts as an eighth of that week, and its own changes as the week itself. So
a number of changes in the window has a negative binomial distribution. The surprise is how much likelier
they are at the rate that they have themselves, as a logarithm: zero up to what is usual.

A window that lies in the week itself, as a past one may, is compared with the rest of the week.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log
from typing import Any, Final

from wiki_web.data.baseline import Baseline
from wiki_web.data.gaps import Span, cut

TITLES_LIKE_IT: Final = 1 / 8
"""How much of the week they count as."""
_HOUR_US: Final = 3_600_000_000
# What was usual so long before is no longer known to be.
OLDEST_US: Final = 24 * _HOUR_US
# Less than this beside the window itself tells nothing.
_SHORTEST_US: Final = _HOUR_US


@dataclass(frozen=True)
class Unusual:
    """A title's row with its rank. `before` are its changes in the week, without those of the window.

    Without a baseline nothing but the rank is known; `before` is unknown for what is changed too seldom.
    """

    row: dict[str, Any]
    rank: int = 1
    usual: float | None = None
    surprise: float | None = None
    before: int | None = None


def surprise(changes: int, usual: float, known: float) -> float:
    """Of so many changes where `usual` ones are expected, from `known` changes, the Gamma's shape."""
    if changes <= usual:
        return 0.0
    return changes * log(changes / usual) - (changes + known) * log((changes + known) / (usual + known))


@dataclass(frozen=True)
class Expected:
    """`usual` changes of a title in a window, by `known` ones, the Gamma's shape; `before` as in Unusual."""

    usual: float
    known: float
    before: int | None


@dataclass(frozen=True)
class Compared:
    """What changes of a time are compared with: the baseline, without the part of it that both share."""

    baseline: Baseline
    time_us: int
    shared_us: int

    def expected(self, row: dict[str, Any], counted: int, window_us: int) -> Expected:
        """Of the row's title in a window, where `counted` changes of it lie in the time."""
        baseline = self.baseline
        found = baseline.changes_of(row["wiki"], row["title"])
        least = baseline.covered.least_changes
        own = counted * self.shared_us / self.time_us
        before = max(0.0, (least - 1 if found is None else found) - own)
        known = before + TITLES_LIKE_IT * baseline.mean_of(row["wiki"], row["namespace"])
        watched_us = (baseline.watched_us - self.shared_us) * (1 + TITLES_LIKE_IT)
        told = None if found is None and least > 1 else round(before)
        return Expected(known * window_us / watched_us, known, told)

    def with_surprise(self, row: dict[str, Any]) -> Unusual:
        """Where the time is the window."""
        counted = row["counted"]
        found = self.expected(row, counted, self.time_us)
        return Unusual(
            row,
            usual=float(f"{found.usual:.3g}"),
            surprise=round(surprise(counted, found.usual, found.known), 2),
            before=found.before,
        )


def compared(
    baseline: Baseline | None, after_us: int, until_us: int, gaps: Sequence[Span]
) -> Compared | None:
    """None if there is no baseline to compare (after, until] with, in whose joined `gaps` nobody watched."""
    if baseline is None or baseline.end_us + OLDEST_US < until_us:
        return None
    time_us = _watched(after_us, until_us, gaps)
    shared_us = _watched(max(after_us, baseline.start_us), min(until_us, baseline.end_us), gaps)
    if not time_us or baseline.watched_us - shared_us < _SHORTEST_US:
        return None
    return Compared(baseline, time_us, shared_us)


def _watched(after_us: int, until_us: int, gaps: Sequence[Span]) -> int:
    lost = sum(gap.end_us - gap.start_us for gap in cut(gaps, after_us, until_us))
    return max(0, until_us - after_us - lost)


def most_unusual(rows: Iterable[dict[str, Any]], with_what: Compared | None, limit: int) -> list[Unusual]:
    """The first `limit`, with standard ranks, of those changed more than usual; of all without a baseline."""
    if with_what is None:
        found = [Unusual(row) for row in rows]
    else:
        found = [each for each in map(with_what.with_surprise, rows) if each.surprise]
    found.sort(key=_order)
    ranked: list[Unusual] = []
    for place, each in enumerate(found[:limit], start=1):
        same = ranked and _height(ranked[-1]) == _height(each)
        rank = ranked[-1].rank if same else place
        ranked.append(Unusual(each.row, rank, each.usual, each.surprise, each.before))
    return ranked


def _height(each: Unusual) -> float:
    return each.row["counted"] if each.surprise is None else each.surprise


def _order(each: Unusual) -> tuple[Any, ...]:
    row = each.row
    return -_height(each), -row["counted"], -row["last_us"], row["title"], row["wiki"] or ""
