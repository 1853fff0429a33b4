"""Request parameters as a Query: each value checked for syntax, length and range, unknown names refused."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final, Literal, get_args
from unicodedata import category

from wiki_common.duration import duration_text, parse_duration
from wiki_web.data.bursts import MOST_BURSTS, BurstQuery, longest_unusual_window, longest_window
from wiki_web.data.past.moment import parse_moment
from wiki_web.data.queries import EDITS, MAX_LIMIT, TYPES, Bots, Editors, Kind, Query
from wiki_web.data.titles import MAX_TITLE, spelled
from wiki_web.data.unusual_bursts import fewest_changes
from wiki_web.settings import Settings

Format = Literal["json", "csv"]

MAX_VALUES: Final = 20
_WIKI: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NAMESPACE: Final = re.compile(r"-?[0-9]{1,5}")
_NEVER_IN_NAMES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, surrogates, line separators
_SHOWN: Final = 60


class BadParameter(ValueError):
    """`parameter` is at fault; the message says what is allowed."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(f"{parameter}: {message}")
        self.parameter = parameter


class Parameters:
    """Reads requests by the settings' defaults and bounds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def default(self, kind: Kind = "top") -> Query:
        bots: Bots = "exclude" if kind == "unusual" else "include"
        return Query(kind, self._settings.web_window, self._settings.web_top_n, bots=bots)

    def query(self, kind: Kind, given: Mapping[str, Sequence[str]]) -> Query:
        """The query of a request for `kind`, or of the order that it names; raises BadParameter."""
        values = _single(given, ALLOWED[kind])
        kind = _ordered(kind, values)
        default = self.default(kind)
        return Query(
            kind=kind,
            window=self._window(values.get("window")),
            limit=_limit(values["limit"]) if "limit" in values else default.limit,
            types=_types(values["types"]) if "types" in values else default.types,
            bots=_bots(values["bots"]) if "bots" in values else default.bots,
            namespaces=_namespaces(values["namespace"]) if "namespace" in values else None,
            wikis=_wikis(values["wiki"]) if "wiki" in values else None,
            title=_name("title", values["title"]) if "title" in values else None,
            to_us=_moment(values["to"]) if "to" in values else None,
            editors=_editors(values.get("editors", default.editors)),
            user=_name("user", values["user"]) if "user" in values else None,
        )

    def burst_query(self, given: Mapping[str, Sequence[str]]) -> BurstQuery:
        """What a request for the feed asks for; raises BadParameter."""
        values = _single(given, FEED)
        counted = self.query("top", {name: [text] for name, text in values.items() if name != "at_least"})
        longest = self._longest_of_bursts(counted.kind)
        if "window" in values and counted.window > longest:
            raise _bad("window", values["window"], f"at most {duration_text(longest)}")
        counted = replace(counted, window=min(counted.window, longest), limit=MOST_BURSTS)
        if counted.kind == "unusual":
            return _unusual_bursts(counted, values)
        at_least = _at_least(values["at_least"]) if "at_least" in values else AT_LEAST
        return BurstQuery(replace(counted, kind="changes"), at_least)

    def _longest_of_bursts(self, kind: Kind) -> timedelta:
        held = self._settings.web_max_window
        if kind != "unusual":
            return longest_window(held)
        longest = longest_unusual_window(held)
        if longest is None:
            raise BadParameter("order", f"unusual needs more than a WEB_MAX_WINDOW of {duration_text(held)}")
        return longest

    def _window(self, text: str | None) -> timedelta:
        if text is None:
            return self._settings.web_window
        longest = self._settings.web_max_window
        wanted = f"a duration from 1m to {duration_text(longest)} in whole seconds, such as 30m"
        try:
            window = parse_duration(text)
        except ValueError:
            raise _bad("window", text, wanted) from None
        if not timedelta(minutes=1) <= window <= longest or window.microseconds:
            raise _bad("window", text, wanted)
        return window


_WHAT: Final = ("window", "types", "bots", "editors", "user", "namespace", "wiki")
_COMMON: Final = (*_WHAT, "to", "title", "format")
ALLOWED: Final[dict[Kind, tuple[str, ...]]] = {
    "top": (*_WHAT, "to", "limit", "order", "format"),
    "timeline": _COMMON,
    "changes": (*_COMMON, "limit"),
    "editors": (*_COMMON, "limit"),
    "unusual": (),  # asked for as an order of "top"
}
FEED: Final = ("at_least", "order", *_WHAT)
AT_LEAST: Final = 10
"""In half an hour a handful of titles of English Wikipedia has so many changes, at any time."""
LEAST, MOST = 2, 1000
"""That may be asked for."""


def is_wiki(text: str) -> bool:
    """Whether `text` may be a wiki's database name."""
    return _WIKI.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Whether `text` can be asked for as it is, as a title or a user."""
    return (
        1 <= len(text) <= MAX_TITLE and text == spelled(text) and not _NEVER_IN_NAMES & {*map(category, text)}
    )


def format_of(given: Mapping[str, Sequence[str]]) -> Format:
    """json unless format=csv; raises BadParameter."""
    text = given.get("format", ["json"])[0]
    if text == "json":
        return "json"
    if text == "csv":
        return "csv"
    raise _bad("format", text, "json or csv")


def _single(given: Mapping[str, Sequence[str]], allowed: Sequence[str]) -> dict[str, str]:
    values = {}
    for name, texts in given.items():
        if name not in allowed:
            raise BadParameter(name[:_SHOWN], f"unknown; allowed are {', '.join(sorted(allowed))}")
        if len(texts) != 1:
            raise BadParameter(name, "given more than once")
        values[name] = texts[0]
    return values


def _ordered(kind: Kind, values: Mapping[str, str]) -> Kind:
    """The kind of list that an order asks for, which may leave no choice of what counts."""
    order = values.get("order", "changes")
    if order == "changes":
        return kind
    if order != "unusual":
        raise _bad("order", order, "changes or unusual")
    for name, only in (("types", ",".join(EDITS)), ("bots", "exclude")):
        if sorted(values.get(name, only).split(",")) != only.split(","):
            because = "what is usual was counted of these alone"
            raise _bad(name, values[name], f"{only}, which order=unusual needs: {because}")
    return "unusual"


def _moment(text: str) -> int:
    try:
        return parse_moment(text)
    except ValueError:
        wanted = "a time as in RFC 3339, such as 2026-01-31T12:00:00Z; a plus sign is %2B in an address"
        raise _bad("to", text, wanted) from None


def _limit(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_LIMIT:
        raise _bad("limit", text, f"a number from 1 to {MAX_LIMIT}")
    return int(text)


def _at_least(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", text) or not LEAST <= int(text) <= MOST:
        raise _bad("at_least", text, f"a number from {LEAST} to {MOST}")
    return int(text)


def _unusual_bursts(counted: Query, values: Mapping[str, str]) -> BurstQuery:
    if "at_least" in values:
        raise _bad(
            "at_least", values["at_least"], "for order=unusual, which goes by what is usual of a title"
        )
    if "user" in values:
        raise _bad("user", values["user"], "for order=unusual, which needs two editors at least")
    return BurstQuery(counted, fewest_changes(counted.window))


def _types(text: str) -> tuple[str, ...] | None:
    if text == "all":
        return None
    wanted = f"all, or a comma list of {', '.join(TYPES)}"
    return tuple(_list("types", text, lambda value: value in TYPES, wanted))


def _bots(text: str) -> Bots:
    for bots in get_args(Bots):
        if text == bots:
            return bots  # type: ignore[no-any-return]  # one of Bots' own values
    raise _bad("bots", text, "include, exclude or only")


def _editors(text: str) -> Editors:
    for editors in get_args(Editors):
        if text == editors:
            return editors  # type: ignore[no-any-return]  # one of Editors' own values
    raise _bad("editors", text, "all, anonymous or registered")


def _namespaces(text: str) -> tuple[int, ...]:
    wanted = f"a comma list of at most {MAX_VALUES} numbers, such as 0,1"
    values = _list("namespace", text, lambda value: _NAMESPACE.fullmatch(value) is not None, wanted)
    return tuple(sorted({int(value) for value in values}))


def _wikis(text: str) -> tuple[str, ...]:
    wanted = f"a comma list of at most {MAX_VALUES} database names, such as enwiki,dewiki"
    return tuple(_list("wiki", text, is_wiki, wanted))


def _list(name: str, text: str, valid: Callable[[str], bool], wanted: str) -> list[str]:
    """The comma list's values, sorted and each once: equal lists are equal queries."""
    values = sorted(set(text.split(",")))
    if len(values) > MAX_VALUES or not all(valid(value) for value in values):
        raise _bad(name, text, wanted)
    return values


def _name(parameter: str, text: str) -> str:
    """Whatever a wiki may have as the title of a page, joiners and characters newer than Python's tables too.

    A user's name is the title of their own page, so the same holds for it.
    """
    name = spelled(text)
    if not is_name(name):
        raise _bad(parameter, text, f"1 to {MAX_TITLE} characters, none of them a control character")
    return name


def _bad(name: str, text: str, wanted: str) -> BadParameter:
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return BadParameter(name, f"{shown!r} is not {wanted}")
