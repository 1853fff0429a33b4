"""Rows of a query's result as an answer: the items of its list, the totals, the time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pyarrow as pa

from wiki_common.baseline import Covered
from wiki_web.data.baseline import Baseline
from wiki_web.data.documents import (
    DOCUMENTS,
    LIST_NAMES,
    BaselineTime,
    Document,
    Filters,
    Gap,
    Item,
    Loading,
    State,
    Totals,
    Window,
)
from wiki_web.data.gaps import Span, counting_since, cut
from wiki_web.data.items import Row, items_of, unusual_titles
from wiki_web.data.queries import OF_TOTALS, Query
from wiki_web.data.rows import moment_of
from wiki_web.data.unusual import compared, most_unusual

_NOTHING: Final = Totals(changes=0, titles=0, editors=0)


@dataclass(frozen=True)
class Sums:
    """What is known of all rows of a window, beyond any list.

    `impossible_sizes` counts the changes whose sizes are left out.
    """

    totals: Totals = _NOTHING
    wikis: tuple[str, ...] = ()
    impossible_sizes: int = 0


@dataclass(frozen=True)
class Answer:
    """What a query found at a commit. `loading` is None but for a start.

    `gaps` are those of the window; `counting_since` is when watching began, if it did within the window.
    `covered` is the time of the baseline that it was compared with; nothing else of that is kept.
    """

    query: Query
    as_of: datetime | None
    sums: Sums
    items: Sequence[Item]
    loading: Loading | None = None
    gaps: tuple[Span, ...] = ()
    counting_since: datetime | None = None
    covered: Covered | None = None

    def document(self, state: State) -> Document:
        """The answer as it is handed out."""
        query, kind = self.query, self.query.kind
        own: dict[str, Any] = {LIST_NAMES[kind]: self.items}
        if kind in ("top", "timeline", "unusual"):
            own["bucket_seconds"] = query.bucket_us // 1_000_000
        if kind == "unusual":
            own["baseline"] = _baseline_time(self.covered)
        return DOCUMENTS[kind](
            as_of=self.as_of,
            state=state,
            loading=self.loading,
            gaps=[Gap(start=moment_of(gap.start_us), end=moment_of(gap.end_us)) for gap in self.gaps],
            counting_since=self.counting_since,
            window=Window(start=self.as_of - query.window if self.as_of else None, end=self.as_of),
            filters=Filters(
                types=query.types,
                bots=query.bots,
                namespace=query.namespaces,
                wiki=query.wikis,
                title=query.title,
                editors=query.editors,
                user=query.user,
            ),
            totals=self.sums.totals,
            wikis=self.sums.wikis,
            **own,
        )


def empty_answer(query: Query, loading: Loading | None) -> Answer:
    """The answer while there is no change at all."""
    return Answer(query, None, Sums(), [], loading=loading)


def answer_of(
    query: Query,
    as_of_us: int,
    found: pa.Table,
    gaps: Sequence[Span] = (),
    sums: Sums | None = None,
    baseline: Baseline | None = None,
) -> Answer:
    """`found` is the result of the query's statement at `as_of_us`, without totals where `sums` are given.

    In the joined `gaps` nothing is known. What is unusual is told by the `baseline`.
    """
    rows = found.to_pylist()
    if sums is None:
        sums = _sums(filter(_is_of_sums, rows))
        rows = [row for row in rows if not _is_of_sums(row)]
    after_us = as_of_us - query.window_us
    inside = cut(gaps, after_us, as_of_us)
    since_us = counting_since(gaps, after_us, as_of_us)
    with_what = compared(baseline, after_us, as_of_us, inside)
    if query.kind == "unusual":
        unusual = most_unusual(rows, with_what, query.limit)
        items: Sequence[Item] = unusual_titles(query, as_of_us, unusual, inside)
    else:
        items = items_of(query, as_of_us, rows, inside)
    return Answer(
        query,
        moment_of(as_of_us),
        sums,
        items,
        gaps=inside,
        counting_since=None if since_us is None else moment_of(since_us),
        covered=with_what.baseline.covered if with_what else None,
    )


def _is_of_sums(row: Row) -> bool:
    return any(row[name] is not None for name in OF_TOTALS)


def _sums(parts: Iterable[Row]) -> Sums:
    """They may be told by several rows, each by one."""
    row = {name: value for part in parts for name, value in part.items() if value is not None}
    totals = Totals(**{name: row[f"all_{name}"] for name in Totals.model_fields})
    wikis = tuple(sorted(wiki for wiki in row.get("all_wikis", ()) if wiki is not None))
    return Sums(totals, wikis, int(row["impossible_sizes"]))


def _baseline_time(covered: Covered | None) -> BaselineTime | None:
    if covered is None:
        return None
    return BaselineTime(start=covered.start, end=covered.end, watched_seconds=covered.watched_seconds)
