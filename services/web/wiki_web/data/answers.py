"""Rows of a query's result as the answer that is handed out: plain dicts, one shape per kind of query."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import pyarrow as pa

from wiki_web.data.queries import Query
from wiki_web.data.rows import moment_of

State = Literal["starting", "empty", "live", "stale"]
Row = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What a query found at a commit. `loading` is files done and of all, at a start."""

    query: Query
    as_of: datetime | None
    totals: dict[str, int]
    wikis: tuple[str, ...]
    rows: list[Row]
    loading: dict[str, int] | None = None

    def document(self, state: State) -> Row:
        """The JSON answer."""
        start = self.as_of - self.query.window if self.as_of else None
        return {
            "as_of": rfc3339(self.as_of),
            "state": state,
            "loading": self.loading,
            "window": {"from": rfc3339(start), "to": rfc3339(self.as_of)},
            "filters": _filters(self.query),
            **({"bucket_seconds": self.query.bucket_us // 1_000_000} if self.query.kind in _BUCKETED else {}),
            "totals": self.totals,
            "wikis": self.wikis,
            LIST_NAMES[self.query.kind]: self.rows,
        }


LIST_NAMES = {"top": "titles", "timeline": "minutes", "changes": "changes", "editors": "editors"}
_BUCKETED = ("top", "timeline")
_NOTHING = {"changes": 0, "titles": 0, "editors": 0}


def empty_answer(query: Query, loading: dict[str, int] | None) -> Answer:
    """The answer while there is no change at all."""
    return Answer(query, None, dict(_NOTHING), (), [], loading)


def answer_of(query: Query, as_of_us: int, found: pa.Table) -> Answer:
    """`found` is what the query's statement gave."""
    rows = found.to_pylist()
    totals = {name: rows[0][f"all_{name}"] for name in ("changes", "titles", "editors")}
    wikis = _sorted(rows[0]["all_wikis"])
    listed = [row for row in rows if row["present"]]
    if query.kind == "timeline":
        shaped = _timeline(query, as_of_us, listed)
    elif query.kind == "top":
        shaped = [_title(row, query) for row in listed]
    else:
        shape = _editor if query.kind == "editors" else _change
        shaped = [shape(row) for row in listed]
    return Answer(query, moment_of(as_of_us), totals, wikis, shaped)


def rfc3339(moment: datetime | None) -> str | None:
    """UTC with Z, fractions only where there are some."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def history_url(page_url: str | None) -> str | None:
    """The page's history, from `https://en.wikipedia.org/wiki/Title`; None for a URL of another form."""
    parts = urlsplit(page_url or "")
    if parts.scheme != "https" or not parts.path.startswith("/wiki/"):
        return None
    title = parts.path.removeprefix("/wiki/")
    return f"https://{parts.netloc}/w/index.php?title={quote(title, safe='%')}&action=history"


def _sorted(wikis: list[str | None] | None) -> tuple[str, ...]:
    return tuple(sorted(wiki for wiki in wikis or () if wiki is not None))


def _title(row: Row, query: Query) -> Row:
    per_bucket = [0] * query.buckets
    for age in row["ages"]:
        per_bucket[-1 - age] += 1
    return {
        "rank": row["place"],
        "rank_before": row["place_before"],
        "title": row["title"],
        "wiki": row["wiki"],
        "url": row["page_url"],
        "history_url": history_url(row["page_url"]),
        "diff_url": row["diff_url"],
        "changes": row["changes"],
        "editors": row["editors"],
        "bytes": row["bytes"],
        "last_change": _moment(row["last_us"]),
        "per_minute": per_bucket,
    }


def _editor(row: Row) -> Row:
    return {
        "rank": row["place"],
        "user": row["editor"],
        "bot": row["bot"],
        "changes": row["changes"],
        "titles": row["titles"],
        "bytes": row["bytes"],
        "last_change": _moment(row["last_us"]),
    }


def _change(row: Row) -> Row:
    return {
        "id": row["event_id"],
        "time": _moment(row["event_us"]),
        "type": row["type"],
        "title": row["title"],
        "wiki": row["wiki"],
        "namespace": row["namespace"],
        "url": row["page_url"],
        "user": row["editor"],
        "bot": bool(row["bot"]),
        "minor": bool(row["minor"]),
        "comment": row["comment"],
        "bytes": row["bytes"],
        "revision": row["revision_new"],
        "diff_url": row["diff_url"],
    }


def _timeline(query: Query, as_of_us: int, rows: list[Row]) -> list[Row]:
    """Every bucket of the window, oldest first, each (from, to]; the oldest may be shorter."""
    by_age = {row["age"]: row for row in rows}
    first_us = as_of_us - query.window_us
    buckets = []
    for age in reversed(range(query.buckets)):
        end_us = as_of_us - age * query.bucket_us
        row = by_age.get(age, {"changes": 0, "editors": 0, "bytes": 0})
        buckets.append(
            {
                "from": _moment(max(first_us, end_us - query.bucket_us)),
                "to": _moment(end_us),
                "changes": row["changes"],
                "editors": row["editors"],
                "bytes": row["bytes"],
            }
        )
    return buckets


def _filters(query: Query) -> Row:
    return {
        "types": _all_or(query.types),
        "bots": query.bots,
        "namespace": _all_or(query.namespaces),
        "wiki": _all_or(query.wikis),
        "title": query.title,
    }


def _all_or(values: tuple[object, ...] | None) -> list[object] | None:
    return None if values is None else list(values)


def _moment(event_us: int) -> str | None:
    return rfc3339(moment_of(event_us))
