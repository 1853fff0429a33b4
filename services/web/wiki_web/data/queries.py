"""What can be asked, and its SQL: written once in Spark's dialect, with named parameters.

A window is (from, to], `to` being fixed by the commit: an answer depends on the commit and the query alone.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from typing import Final, Literal, get_args

from wiki_web.data import newest_changes, top_titles
from wiki_web.data.editors import ANONYMOUS_PATTERN
from wiki_web.data.titles import equivalent
from wiki_web.data.unusual_candidates import COLUMNS, LISTED, PARAMETERS

Kind = Literal["top", "timeline", "changes", "editors", "unusual"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
Bots = Literal["include", "exclude", "only"]
Editors = Literal["all", "anonymous", "registered"]
Parameter = int | str | list[str] | list[int]

EDITS: Final = ("edit", "new")
TYPES: Final = ("categorize", "edit", "external", "log", "new")
MINUTE_US: Final = 60_000_000
# Ranks are compared with those of one minute before (60000000 µs in the SQL): rows are held that much longer.
RANKS_BEFORE: Final = timedelta(minutes=1)
MAX_LIMIT: Final = 500
"""The most rows that a query may list."""
MAX_SIZE: Final = 2**32 - 1
"""Bytes; no page can be larger, as MediaWiki's rev_len has 32 bits. Other sizes are not computed with."""
_BUCKET_MINUTES: Final = (1, 2, 5, 10, 15, 30, 60, 120, 180)
MAX_BUCKETS: Final = 60


@dataclass(frozen=True)
class Query:
    """One question; equal questions are equal values. None in `types`, …, `title` and in `user` means all.

    `to_us` (µs) is the past moment that it is asked of, None for the newest commit. A list of changes has the
    NEWEST of each page of the titles `reasons_of` too, which are more than its limit.
    """

    kind: Kind
    window: timedelta
    limit: int
    types: tuple[str, ...] | None = EDITS
    bots: Bots = "include"
    namespaces: tuple[int, ...] | None = None
    wikis: tuple[str, ...] | None = None
    title: str | None = None
    to_us: int | None = None
    editors: Editors = "all"
    user: str | None = None
    reasons_of: tuple[str, ...] = ()

    @property
    def scope(self) -> "Query":
        """Equal for queries over the same rows of a commit: their totals are the same."""
        return replace(self, kind="top", limit=0, reasons_of=())

    @property
    def window_us(self) -> int:
        return self.window // timedelta(microseconds=1)

    @property
    def bucket_us(self) -> int:
        """The smallest round number of minutes that cuts the window into at most 60 parts."""
        for minutes in _BUCKET_MINUTES:
            if minutes * MINUTE_US * MAX_BUCKETS >= self.window_us:
                return minutes * MINUTE_US
        raise ValueError(f"window {self.window} is longer than {_BUCKET_MINUTES[-1] * MAX_BUCKETS} minutes")

    @property
    def buckets(self) -> int:
        """How many buckets cover the window; the oldest may be shorter."""
        return -(-self.window_us // self.bucket_us)


@dataclass(frozen=True)
class Statement:
    """SQL in Spark's dialect and its parameters, `:name` in the text. Only rows after `after_us` matter."""

    sql: str
    parameters: dict[str, Parameter]
    after_us: int = 0


def statement_of(query: Query, as_of_us: int, *, with_totals: bool = True) -> Statement:
    """The statement that answers `query` at a commit that counts up to `as_of_us`; or its list alone."""
    parameters = _chosen(query, as_of_us)
    if with_totals or query.kind in ("top", "unusual"):
        parameters["window_us"] = query.window_us
    if query.kind == "unusual":
        parameters |= PARAMETERS
    elif query.kind == "timeline":
        parameters["bucket_us"] = query.bucket_us
    else:
        parameters["row_limit"] = query.limit
    if query.reasons_of:
        parameters["reasons_of"] = list(query.reasons_of)
    sql = _sql(query.kind, query.bots, frozenset(parameters), with_totals)
    return Statement(sql, parameters, as_of_us - _reach_us(query))


def newest_of(query: Query, as_of_us: int, titles: list[str], from_us: int) -> Statement:
    """The statement that lists the newest changes that `query` counts of each page of these titles.

    None of them is of `from_us` (µs) or before.
    """
    parameters = _chosen(replace(query, kind="changes"), as_of_us)
    reach_us = min(query.window_us, as_of_us - from_us)
    parameters |= {"reasons_of": titles, "reach_us": reach_us}
    selected = _selected(query.bots, frozenset(parameters))
    return Statement(f"WITH {selected}, {newest_changes.REASONS}", parameters, as_of_us - reach_us)


def matching_of(query: Query, as_of_us: int) -> Statement:
    """The statement that counts, as `matching`, the changes that `statement_of` has to do with."""
    parameters = _chosen(query, as_of_us)
    sql = _MATCHING.format(selected=_selected(query.bots, frozenset(parameters)))
    return Statement(sql, parameters, as_of_us - _reach_us(query))


def selection_of(query: Query, as_of_us: int) -> tuple[str, dict[str, Parameter]]:
    """The table `selected` of the changes that `query` is about, for other statements, and its parameters."""
    parameters = _chosen(query, as_of_us)
    return _selected(query.bots, frozenset(parameters)), parameters


def _reach_us(query: Query) -> int:
    before = RANKS_BEFORE if query.kind == "top" else timedelta(0)
    return query.window_us + before // timedelta(microseconds=1)


def _chosen(query: Query, as_of_us: int) -> dict[str, Parameter]:
    """The parameters of the conditions that choose rows."""
    parameters: dict[str, Parameter] = {"to_us": as_of_us, "reach_us": _reach_us(query)}
    if query.types is not None:
        parameters["types"] = list(query.types)
    if query.namespaces is not None:
        parameters["namespaces"] = list(query.namespaces)
    if query.wikis is not None:
        parameters["wikis"] = list(query.wikis)
    if query.title is not None:
        parameters["titles"] = equivalent(query.title)
    if query.editors != "all":
        parameters[query.editors] = ANONYMOUS_PATTERN
    if query.user is not None:
        parameters["users"] = equivalent(query.user)
    return parameters


HELD: Final = Statement("SELECT COUNT(*) AS held, MAX(event_us) AS newest_us FROM changes", {})

_BOTS: Final = {"include": "TRUE", "exclude": "NOT COALESCE(bot, FALSE)", "only": "COALESCE(bot, FALSE)"}
_CONDITIONS: Final = {
    "types": "ARRAY_CONTAINS(:types, type)",
    "namespaces": "ARRAY_CONTAINS(:namespaces, namespace)",
    "wikis": "ARRAY_CONTAINS(:wikis, wiki)",
    "titles": "ARRAY_CONTAINS(:titles, title)",
    "anonymous": "editor RLIKE :anonymous",
    "registered": "NOT editor RLIKE :registered",
    "users": "ARRAY_CONTAINS(:users, editor)",
}
_POSSIBLE: Final = " AND ".join(
    f"COALESCE({size}, 0) BETWEEN 0 AND {MAX_SIZE}" for size in ("length_old", "length_new")
)
# The time that differs from commit to commit is an array's item, no literal: Spark writes literals into the
# code that it compiles, and would compile it anew at each commit and run it cold. To join it would be a job.
_SELECTED: Final = """
selected AS (
  SELECT changes.*, to_us - event_us AS age_us,
    CASE WHEN length_new IS NOT NULL AND {possible}
      THEN length_new - COALESCE(length_old, 0) ELSE 0 END AS bytes,
    CASE WHEN {possible} THEN 0 ELSE 1 END AS impossible_size
  FROM changes LATERAL VIEW EXPLODE(ARRAY(:to_us)) moment AS to_us
  WHERE event_us > to_us - :reach_us AND event_us <= to_us AND {conditions}
)"""
_MATCHING: Final = "WITH {selected} SELECT COUNT(*) AS matching FROM selected"
# Sizes of sets instead of COUNT(DISTINCT …), for each of which Spark would shuffle the rows twice more.
_TOTALS: Final = """
totals AS (
  SELECT COUNT(*) AS all_changes, COALESCE(SIZE(COLLECT_SET(editor)), 0) AS all_editors,
    COALESCE(SIZE(COLLECT_SET(CONCAT(COALESCE(wiki, ''), '/', title))), 0) AS all_titles,
    COLLECT_SET(wiki) AS all_wikis, COALESCE(SUM(impossible_size), 0) AS impossible_sizes
  FROM selected WHERE age_us < :window_us
)"""
_LISTS: Final[dict[Kind, str]] = {
    "top": top_titles.LISTED,
    "editors": """
counted AS (
  SELECT editor, MAX(COALESCE(bot, FALSE)) AS bot, COUNT(*) AS changes,
    COALESCE(SIZE(COLLECT_SET(CONCAT(COALESCE(wiki, ''), '/', title))), 0) AS titles,
    CAST(SUM(bytes) AS BIGINT) AS bytes, MAX(event_us) AS last_us
  FROM selected WHERE editor IS NOT NULL GROUP BY editor
),
listed AS (
  SELECT *, RANK() OVER (ORDER BY changes DESC) AS rank FROM counted
  ORDER BY changes DESC, last_us DESC, editor LIMIT :row_limit
)""",
    "changes": newest_changes.LISTED,
    "timeline": """
listed AS (
  SELECT age_us DIV :bucket_us AS age, COUNT(*) AS changes, COALESCE(SIZE(COLLECT_SET(editor)), 0) AS editors,
    CAST(SUM(bytes) AS BIGINT) AS bytes
  FROM selected GROUP BY 1
)""",
    "unusual": LISTED,
}
OF_TOTALS: Final = ("all_changes", "all_editors", "all_titles", "all_wikis", "impossible_sizes")
_OF_LIST: Final[dict[Kind, tuple[str, ...]]] = {
    "top": top_titles.COLUMNS,
    "editors": ("rank", "editor", "bot", "changes", "titles", "bytes", "last_us"),
    "changes": newest_changes.COLUMNS,
    "timeline": ("age", "changes", "editors", "bytes"),
    "unusual": COLUMNS,
}
# Rows with the totals, and those of the list in any order. Joined or sorted in SQL, they would be
# further jobs of Spark's; so they are two tasks of one.
_STATEMENT: Final = """
WITH {tables}
SELECT {totals}, {no_list} FROM totals
UNION ALL
SELECT {no_totals}, {list} FROM listed"""
_LIST_ALONE: Final = """
WITH {tables}
SELECT {list} FROM listed"""


@lru_cache(maxsize=256)
def _sql(kind: Kind, bots: Bots, parameters: frozenset[str], with_totals: bool) -> str:
    selected = _selected(bots, parameters)
    listed = _OF_LIST[kind]
    tables = newest_changes.LISTED_WITH_REASONS if "reasons_of" in parameters else _LISTS[kind]
    if not with_totals:
        return _LIST_ALONE.format(tables=f"{selected}, {tables}", list=", ".join(listed))
    totals = top_titles.TOTALS if kind == "top" else _TOTALS
    return _STATEMENT.format(
        tables=", ".join((selected, tables, totals)),
        totals=", ".join(OF_TOTALS),
        no_list=", ".join(f"NULL AS {column}" for column in listed),
        no_totals=", ".join("NULL" for _ in OF_TOTALS),
        list=", ".join(listed),
    )


def _selected(bots: Bots, parameters: frozenset[str]) -> str:
    conditions = [_BOTS[bots], *(text for name, text in _CONDITIONS.items() if name in parameters)]
    return _SELECTED.format(conditions=" AND ".join(conditions), possible=_POSSIBLE)
