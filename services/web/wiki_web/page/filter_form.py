"""The filters that a viewer chooses from: fields of a form, and addresses that hold what was chosen."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from wiki_common.duration import duration_text
from wiki_web.data.past.moment import moment_text
from wiki_web.data.queries import EDITS, Query
from wiki_web.page.formats import NAMESPACES, TYPES

_WINDOWS: Final = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 30, 60, 360, 1440))
_TYPES: Final = {",".join(EDITS): "Edits and new pages", "all": "Everything"}
_BOTS: Final = {"include": "With bots", "exclude": "No bots", "only": "Only bots"}
_EDITORS: Final = {"all": "All editors", "anonymous": "Anonymous", "registered": "Registered"}


@dataclass(frozen=True)
class Field:
    """One form field; `options` are (value, label). An address doesn't name what is at its default."""

    name: str
    label: str
    default: str
    chosen: str
    options: tuple[tuple[str, str], ...]


def filter_fields(query: Query, default: Query, longest: timedelta, wikis: Iterable[str]) -> list[Field]:
    """The form's fields with the query's values chosen; a value that none offers becomes an option."""
    values, defaults = _values(query), _values(default)
    windows = sorted({*(each for each in _WINDOWS if each <= longest), default.window, query.window})
    offered = {
        "window": {duration_text(each): window_name(each) for each in windows},
        "types": _TYPES,
        "bots": _BOTS,
        "editors": _EDITORS,
        "namespace": {"": "All namespaces", **{str(number): name for number, name in NAMESPACES.items()}},
        "wiki": {"": "All wikis", **{wiki: wiki for wiki in sorted(wikis)}},
    }
    labels = {
        "window": "Window",
        "types": "What counts",
        "bots": "Bots",
        "editors": "Editors",
        "namespace": "Namespace",
        "wiki": "Wiki",
    }
    fields = []
    for name, options in offered.items():
        if query.kind == "unusual" and name in ("types", "bots"):
            continue
        options = (
            options if values[name] in options else {**options, values[name]: _named(name, values[name])}
        )
        if len(options) > (2 if name == "wiki" and not values[name] else 1):
            fields.append(Field(name, labels[name], defaults[name], values[name], tuple(options.items())))
    return fields


def address(path: str, query: Query, default: Query, **more: str) -> str:
    """`path`, relative to a page, with the parameters in which `query` differs from `default`, and `more`."""
    defaults = _values(default)
    parameters = {name: value for name, value in _values(query).items() if value != defaults[name]}
    parameters = {name: value for name, value in {**more, **parameters}.items() if value}
    return f"{path}?{urlencode(parameters, safe=',')}" if parameters else path


def without_filters(query: Query, default: Query) -> Query:
    """The query as if no filter but its window had been chosen, and its moment."""
    asked = replace(default, kind=query.kind, window=query.window, limit=query.limit, title=query.title)
    bots = query.bots if query.kind == "unusual" else default.bots
    return replace(asked, bots=bots, to_us=query.to_us)


def in_other_order(query: Query, default: Query) -> Query:
    """What is most changed instead of what is unusual, and the other way round."""
    if query.kind == "unusual":
        return replace(query, kind="top", types=default.types, bots=default.bots)
    return replace(query, kind="unusual", types=EDITS, bots="exclude")


def window_name(window: timedelta) -> str:
    """30 min, 6 h."""
    minutes = window / timedelta(minutes=1)
    if minutes % 60 == 0:
        return f"{minutes / 60:g} h"
    return f"{minutes:.4g} min"


def counted(query: Query) -> str:
    """In words, what the query counts."""
    types = ["all changes"] if query.types is None else [_TYPE_WORDS[name] for name in query.types]
    bots = {"include": "", "exclude": ", without bots", "only": ", by bots only"}[query.bots]
    values = _values(query)
    namespaces = f" in {_named('namespace', values['namespace'])}" if values["namespace"] else ""
    wikis = f" on {_named('wiki', values['wiki'])}" if values["wiki"] else ""
    editors = {"all": "", "anonymous": ", by anonymous editors", "registered": ", by registered editors"}
    user = f", by {query.user}" if query.user else ""
    return " and ".join(types) + namespaces + wikis + bots + editors[query.editors] + user


_TYPE_WORDS: Final = {
    "edit": "edits",
    "new": "new pages",
    "log": "log entries",
    "categorize": "category changes",
    "external": "external changes",
}


def _values(query: Query) -> dict[str, str]:
    unusual = query.kind == "unusual"  # which leaves no choice of what counts
    return {
        "order": "unusual" if unusual else "",
        "window": duration_text(query.window),
        "to": "" if query.to_us is None else moment_text(query.to_us),
        "types": "" if unusual else "all" if query.types is None else ",".join(query.types),
        "bots": "" if unusual else query.bots,
        "editors": query.editors,
        "user": query.user or "",
        "namespace": ",".join(str(number) for number in query.namespaces or ()),
        "wiki": ",".join(query.wikis or ()),
        "limit": str(query.limit),
    }


def _named(name: str, value: str) -> str:
    if name == "namespace":
        return ", ".join(NAMESPACES.get(int(number), number) for number in value.split(","))
    if name == "types":
        return ", ".join(TYPES[each] for each in value.split(","))
    return value.replace(",", ", ")
