"""Rows of a query's result as the items of an answer's list."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import pyarrow as pa

from wiki_web.data.disputes import Made, reverts
from wiki_web.data.documents import Bucket, Change, Editor, Item, RankedTitle, UnusualTitle
from wiki_web.data.editors import by_editors
from wiki_web.data.gaps import Span, nothing_known
from wiki_web.data.links import history_url, web_url
from wiki_web.data.queries import Kind, Query
from wiki_web.data.rows import moment_of
from wiki_web.data.top_titles import with_ranks
from wiki_web.data.unusual import Unusual

Row = dict[str, Any]


def changes_of(found: pa.Table) -> list[Change]:
    """The changes that a statement found, newest first."""
    return [_change(row) for row in _in_order("changes", found.to_pylist())]


def items_of(query: Query, as_of_us: int, rows: Iterable[Row], gaps: Sequence[Span]) -> Sequence[Item]:
    """Of any kind but what is unusual; in the `gaps` nothing is known."""
    ordered = _in_order(query.kind, rows)
    if query.kind == "timeline":
        return _buckets(query, as_of_us, ordered, gaps)
    if query.kind == "top":
        uncounted = _uncounted_buckets(query, as_of_us, gaps)
        return [_ranked_title(row, query.bucket_us, uncounted) for row in ordered]
    if query.kind == "editors":
        return [_editor(row) for row in ordered]
    return [_change(row) for row in ordered]


def unusual_titles(
    query: Query, as_of_us: int, found: Sequence[Unusual], gaps: Sequence[Span]
) -> list[UnusualTitle]:
    """Those that were found, in their order."""
    uncounted = _uncounted_buckets(query, as_of_us, gaps)
    titles = []
    for each in found:
        ranked = _ranked_title(
            {**each.row, "rank": each.rank, "rank_before": None}, query.bucket_us, uncounted
        )
        titles.append(
            UnusualTitle(
                **dict(ranked),
                counted=each.row["counted"],
                usual=each.usual,
                surprise=each.surprise,
                before=each.before,
            )
        )
    return titles


def _in_order(kind: Kind, rows: Iterable[Row]) -> list[Row]:
    """As the statements order what they list."""
    if kind == "top":
        return with_ranks(list(rows))
    if kind == "timeline":
        return sorted(rows, key=lambda row: -row["age"])
    if kind == "changes":
        return sorted(rows, key=lambda row: (row["event_us"], row["event_id"]), reverse=True)
    return sorted(rows, key=lambda row: (-row["changes"], -row["last_us"], row["editor"]))


def _ranked_title(row: Row, bucket_us: int, uncounted: list[int | None]) -> RankedTitle:
    """`uncounted` is what each bucket has before anything is counted in it."""
    made: list[Made] = row["made"]
    per_bucket = uncounted.copy()
    for change in made:
        index = -1 - change["age_us"] // bucket_us
        per_bucket[index] = (per_bucket[index] or 0) + 1
    told = by_editors(change["editor"] for change in made)
    return RankedTitle(
        rank=row["rank"],
        rank_before=row["rank_before"],
        title=row["title"],
        wiki=row["wiki"],
        url=web_url(row["page_url"]),
        history_url=history_url(row["page_url"]),
        diff_url=web_url(row["diff_url"]),
        changes=row["changes"],
        editors=told.editors,
        bytes=row["bytes"],
        last_change=moment_of(row["last_us"]),
        per_minute=per_bucket,
        created=bool(row["created"]),
        reverts=reverts(made),
        top_editor_share=told.top_share,
        anonymous_share=told.anonymous_share,
    )


def _editor(row: Row) -> Editor:
    return Editor(
        rank=row["rank"],
        user=row["editor"],
        bot=row["bot"],
        changes=row["changes"],
        titles=row["titles"],
        bytes=row["bytes"],
        last_change=moment_of(row["last_us"]),
    )


def _change(row: Row) -> Change:
    return Change(
        id=row["event_id"],
        time=moment_of(row["event_us"]),
        type=row["type"],
        title=row["title"],
        wiki=row["wiki"],
        namespace=row["namespace"],
        url=web_url(row["page_url"]),
        user=row["editor"],
        bot=bool(row["bot"]),
        minor=bool(row["minor"]),
        comment=row["comment"],
        bytes=row["bytes"],
        revision=row["revision_new"],
        diff_url=web_url(row["diff_url"]),
    )


def _buckets(query: Query, as_of_us: int, rows: list[Row], gaps: Sequence[Span]) -> list[Bucket]:
    by_age = {row["age"]: row for row in rows}
    buckets = []
    for index, (start_us, end_us) in enumerate(_bucket_spans(query, as_of_us)):
        row = by_age.get(query.buckets - 1 - index)
        nothing = _uncounted(gaps, start_us, end_us)
        buckets.append(
            Bucket(
                start=moment_of(start_us),
                end=moment_of(end_us),
                changes=row["changes"] if row else nothing,
                editors=row["editors"] if row else nothing,
                bytes=row["bytes"] if row else nothing,
            )
        )
    return buckets


def _uncounted_buckets(query: Query, as_of_us: int, gaps: Sequence[Span]) -> list[int | None]:
    return [_uncounted(gaps, *span) for span in _bucket_spans(query, as_of_us)]


def _bucket_spans(query: Query, as_of_us: int) -> list[tuple[int, int]]:
    """Every bucket of the window, oldest first, each (from, to] in µs; the oldest may be shorter."""
    ends_us = [as_of_us - age * query.bucket_us for age in reversed(range(query.buckets))]
    return list(pairwise([as_of_us - query.window_us, *ends_us]))


def _uncounted(gaps: Sequence[Span], start_us: int, end_us: int) -> int | None:
    """What (start, end] has if nothing was counted in it: None where nobody watched."""
    return None if nothing_known(gaps, start_us, end_us) else 0
