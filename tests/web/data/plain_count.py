"""What the engines must answer, counted in plain Python, and the random rows and queries to ask them for."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from web.committed import NOON, Change
from wiki_web.data.queries import MAX_SIZE, Kind, Query
from wiki_web.data.rows import moment_of
from wiki_web.page.formats import rfc3339

WINDOW = timedelta(minutes=30)
WINDOWS = [timedelta(minutes=1), timedelta(seconds=90), WINDOW]
ODD_TITLES = [
    "A",
    "B",
    "<script>alert(1)</script>",
    'O\'Brien \\ "x"',
    "مرحبا",
    "🦊 fox",
    "%_:a$b{c}",
    "null",
]

# Seconds before the newest event; the window's and the minutes' borders and their neighbours come up often.
BORDERS = [0, 1, 59, 60, 61, 119, 120, 1739, 1740, 1741, 1799, 1800, 1801, 1859, 1860, 1861, 4000]


def changes() -> st.SearchStrategy[list[Change]]:
    return st.lists(
        st.builds(
            Change,
            event_time=st.one_of(st.sampled_from(BORDERS), st.integers(0, 2000)).map(
                lambda seconds: NOON - timedelta(seconds=seconds)
            ),
            title=st.sampled_from(ODD_TITLES),
            user=st.sampled_from(["Ada", "~2026-10417-3", "2001:DB8:0:0:0:0:0:2A", "=cmd", None]),
            type=st.sampled_from(["edit", "new", "log", "categorize"]),
            bot=st.sampled_from([True, False, None]),
            namespace=st.sampled_from([0, 1, -1, None]),
            wiki=st.sampled_from(["enwiki", "dewiki"]),
            length_old=st.sampled_from([None, 0, 100, 2**63 - 1]),
            length_new=st.sampled_from([None, 0, 90, MAX_SIZE, MAX_SIZE + 1, -1, 2**63 - 1, -(2**63)]),
            revision=st.sampled_from([None, 1, 2, 3, 2**40]),
        ),
        min_size=1,
        max_size=40,
    )


def queries(kinds: tuple[Kind, ...], titles: tuple[str | None, ...] = (None,)) -> st.SearchStrategy[Query]:
    return st.builds(
        Query,
        kind=st.sampled_from(kinds),
        title=st.sampled_from(titles),
        window=st.sampled_from(WINDOWS),
        limit=st.sampled_from([1, 3, 500]),
        types=st.sampled_from([None, ("edit", "new"), ("log",)]),
        bots=st.sampled_from(["include", "exclude", "only"]),
        namespaces=st.sampled_from([None, (0,), (-1, 0, 1)]),
        wikis=st.sampled_from([None, ("dewiki",), ("dewiki", "enwiki")]),
        editors=st.sampled_from(["all", "all", "anonymous", "registered"]),
        user=st.sampled_from([None, None, "Ada", "~2026-10417-3"]),
    )


@dataclass
class Counted:
    """What a title has in the window, counted without SQL."""

    changes: int = 0
    editors: set[str] = field(default_factory=set)
    bytes: int = 0
    last: datetime = NOON - timedelta(days=1)
    rows: list[Change] = field(default_factory=list)
    buckets: Counter[int] = field(default_factory=Counter)


def chosen(rows: Iterable[Change], query: Query, start: datetime, end: datetime) -> list[Change]:
    bots = {"include": (True, False), "exclude": (False,), "only": (True,)}[query.bots]
    return [
        row
        for row in rows
        if start < row.event_time <= end
        and (query.types is None or row.type in query.types)
        and bool(row.bot) in bots
        and (query.namespaces is None or row.namespace in query.namespaces)
        and (query.wikis is None or row.wiki in query.wikis)
        and (query.title is None or row.title == query.title)
        and (query.user is None or row.user == query.user)
        and (query.editors == "all" or row.user is not None)
        and (query.editors == "all" or is_anonymous(row.user or "") == (query.editors == "anonymous"))
    ]


def is_anonymous(user: str) -> bool:
    """Of the users that rows are made up of."""
    return user[:1] in ("~", "2")


def counts(rows: Iterable[Change], query: Query, end: datetime) -> dict[tuple[str, str], Counted]:
    found: dict[tuple[str, str], Counted] = defaultdict(Counted)
    for row in rows:
        title = found[row.wiki, row.title.replace("_", " ")]
        title.changes += 1
        title.editors |= {row.user} if row.user is not None else set()
        sizes = row.length_new, row.length_old or 0
        if sizes[0] is not None and all(0 <= size <= MAX_SIZE for size in sizes if size is not None):
            title.bytes += sizes[0] - sizes[1]
        title.last = max(title.last, row.event_time)
        title.rows.append(row)
        title.buckets[(end - row.event_time) // timedelta(microseconds=query.bucket_us)] += 1
    return found


def end_of(rows: list[Change], query: Query) -> datetime:
    """Of the window: the query's moment, or the newest change."""
    return max(row.event_time for row in rows) if query.to_us is None else moment_of(query.to_us)


def expected_top(rows: list[Change], query: Query) -> dict[str, Any]:
    end = end_of(rows, query)
    inside = chosen(rows, query, end - query.window, end)
    minute = timedelta(minutes=1)
    before = counts(chosen(rows, query, end - minute - query.window, end - minute), query, end)
    found = counts(inside, query, end)
    order = sorted(found.items(), key=lambda item: (item[0][1].encode(), item[0][0]))
    order.sort(key=lambda item: (item[1].changes, item[1].last), reverse=True)
    titles = [
        {
            "rank": 1 + sum(other.changes > title.changes for other in found.values()),
            "rank_before": 1 + sum(other.changes > before[key].changes for other in before.values())
            if key in before
            else None,
            "wiki": key[0],
            "title": key[1],
            "changes": title.changes,
            "editors": len(title.editors),
            "bytes": title.bytes,
            "last_change": rfc3339(title.last),
            "per_minute": [title.buckets[age] for age in reversed(range(query.buckets))],
            "created": any(row.type == "new" for row in title.rows),
            "reverts": reverts_of(title.rows),
            **shares_of([row.user for row in title.rows if row.user is not None]),
        }
        for key, title in order[: query.limit]
    ]
    editors = {row.user for row in inside if row.user is not None}
    return {
        "totals": {"changes": len(inside), "titles": len(found), "editors": len(editors)},
        "titles": titles,
    }


def expected_candidates(inside: list[Change], end: datetime) -> list[tuple[Any, ...]]:
    """Wiki, title, changes, those that count, editors: the most first."""
    hour = timedelta(hours=1)
    of_one = Counter(
        (row.wiki, row.title.replace("_", " "), row.user, (end - row.event_time) // hour) for row in inside
    )
    counted: Counter[tuple[str, str]] = Counter()
    for (wiki, title, _, _), changes in of_one.items():
        counted[wiki, title] += min(changes, 3)
    found = [
        (each.last, (wiki, title, each.changes, counted[wiki, title], len(each.editors)))
        for (wiki, title), each in counts(inside, Query("top", hour, 1), end).items()
        if len(each.editors) > 1
    ]
    found.sort(key=lambda each: (each[1][1].encode(), each[1][0]))
    found.sort(key=lambda each: (each[1][3], each[0]), reverse=True)
    return [row for _, row in found]


def reverts_of(rows: list[Change]) -> int:
    """Of one title, each change compared with all before it."""

    def is_size(size: int | None) -> bool:
        return size is not None and 0 <= size <= MAX_SIZE

    told = [row for row in rows if row.revision is not None and is_size(row.length_old)]
    told = [row for row in told if is_size(row.length_new)]
    told.sort(key=lambda row: (row.event_time, row.revision, row.length_old, row.length_new, row.user or ""))
    found = 0
    for place, row in enumerate(told):
        ends = [
            number + 1 for number, before in enumerate(told[:place]) if before.length_new == row.length_new
        ]
        begins = [number for number, before in enumerate(told[:place]) if before.length_old == row.length_new]
        if row.user is None or row.length_old == row.length_new or not [*begins, *ends]:
            continue
        undone = told[max([*begins, *ends]) : place]
        found += any(before.user not in (None, row.user) for before in undone)
    return found


def shares_of(users: list[str]) -> dict[str, float | None]:
    """Of a title's changes by these."""
    if not users:
        return {"top_editor_share": None, "anonymous_share": None}
    anonymous = [user for user in users if is_anonymous(user)]
    return {
        "top_editor_share": round(max(users.count(user) for user in users) / len(users), 4),
        "anonymous_share": round(len(anonymous) / len(users), 4),
    }


def expected_lists(rows: list[Change], query: Query) -> list[tuple[Any, ...]]:
    """What `picked` picks from a document, counted without SQL."""
    end = end_of(rows, query)
    inside = chosen(rows, query, end - query.window, end)
    if query.kind == "timeline":
        ages = Counter((end - row.event_time) // timedelta(microseconds=query.bucket_us) for row in inside)
        return [(ages[age],) for age in reversed(range(query.buckets))]
    if query.kind == "unusual":
        return expected_candidates(inside, end)[: query.limit]
    if query.kind == "changes":
        newest = sorted(inside, key=lambda row: (row.event_time, row.event_id), reverse=True)
        return [(row.event_id, row.title.replace("_", " "), row.user) for row in newest[: query.limit]]
    changed = Counter(row.user for row in inside if row.user is not None)
    last = {user: max(row.event_time for row in inside if row.user == user) for user in changed}
    order = sorted(changed, key=str.encode)
    order.sort(key=lambda user: (changed[user], last[user]), reverse=True)
    return [
        (1 + sum(other > changed[user] for other in changed.values()), user, changed[user])
        for user in order[: query.limit]
    ]
