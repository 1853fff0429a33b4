"""Rows of a query's result as an answer: the items of its list, the totals, the time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final
from urllib.parse import SplitResult, quote, urlsplit

import pyarrow as pa

from wiki_common.baseline import Covered
from wiki_web.data.baseline import Baseline
from wiki_web.data.disputes import Made, reverts
from wiki_web.data.documents import (
    DOCUMENTS,
    LIST_NAMES,
    BaselineTime,
    Bucket,
    Change,
    Document,
    Editor,
    Filters,
    Gap,
    Item,
    Loading,
    RankedTitle,
    State,
    Totals,
    UnusualTitle,
    Window,
)
from wiki_web.data.editors import by_editors
from wiki_web.data.gaps import Span, counting_since, cut, nothing_known
from wiki_web.data.queries import OF_TOTALS, Kind, Query
from wiki_web.data.rows import moment_of
from wiki_web.data.top_titles import with_ranks
from wiki_web.data.unusual import Unusual, compared, most_unusual

Row = dict[str, Any]
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
        items: Sequence[Item] = _unusual_titles(query, as_of_us, unusual, inside)
    else:
        items = _items(query, as_of_us, _in_order(query.kind, rows), inside)
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


def _in_order(kind: Kind, rows: Iterable[Row]) -> list[Row]:
    """As the statements order what they list."""
    if kind == "top":
        return with_ranks(list(rows))
    if kind == "timeline":
        return sorted(rows, key=lambda row: -row["age"])
    if kind == "changes":
        return sorted(rows, key=lambda row: (row["event_us"], row["event_id"]), reverse=True)
    return sorted(rows, key=lambda row: (-row["changes"], -row["last_us"], row["editor"]))


def changes_of(found: pa.Table) -> list[Change]:
    """The changes that a statement found, newest first."""
    return [_change(row) for row in _in_order("changes", found.to_pylist())]


def web_url(stored: str | None) -> str | None:
    """`stored` if it is an address that may become a link, else None: it is a stranger's text."""
    parts = _parts(stored)
    return stored if parts is not None and parts.scheme in ("http", "https") and parts.hostname else None


def history_url(page_url: str | None) -> str | None:
    """The page's history, from `https://en.wikipedia.org/wiki/Title`; None for any other URL."""
    parts = _parts(page_url)
    if parts is None or parts.scheme != "https" or not parts.path.startswith("/wiki/"):
        return None
    title = parts.path.removeprefix("/wiki/")
    return f"https://{parts.netloc}/w/index.php?title={quote(title, safe='%')}&action=history"


def _parts(url: str | None) -> SplitResult | None:
    try:
        return urlsplit(url or "")
    except ValueError:  # such as https://[en.wikipedia.org/
        return None


def _items(query: Query, as_of_us: int, rows: list[Row], gaps: Sequence[Span]) -> Sequence[Item]:
    if query.kind == "timeline":
        return _buckets(query, as_of_us, rows, gaps)
    if query.kind == "top":
        uncounted = _uncounted_buckets(query, as_of_us, gaps)
        return [_ranked_title(row, query.bucket_us, uncounted) for row in rows]
    if query.kind == "editors":
        return [_editor(row) for row in rows]
    return [_change(row) for row in rows]


def _uncounted_buckets(query: Query, as_of_us: int, gaps: Sequence[Span]) -> list[int | None]:
    return [_uncounted(gaps, *span) for span in _bucket_spans(query, as_of_us)]


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


def _unusual_titles(
    query: Query, as_of_us: int, found: Sequence[Unusual], gaps: Sequence[Span]
) -> list[UnusualTitle]:
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


def _baseline_time(covered: Covered | None) -> BaselineTime | None:
    if covered is None:
        return None
    return BaselineTime(start=covered.start, end=covered.end, watched_seconds=covered.watched_seconds)


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


def _bucket_spans(query: Query, as_of_us: int) -> list[tuple[int, int]]:
    """Every bucket of the window, oldest first, each (from, to] in µs; the oldest may be shorter."""
    ends_us = [as_of_us - age * query.bucket_us for age in reversed(range(query.buckets))]
    return list(pairwise([as_of_us - query.window_us, *ends_us]))


def _uncounted(gaps: Sequence[Span], start_us: int, end_us: int) -> int | None:
    """What (start, end] has if nothing was counted in it: None where nobody watched."""
    return None if nothing_known(gaps, start_us, end_us) else 0
