"""Bursts as an Atom feed (RFC 4287). Addresses of this service are relative: it may be below some path."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Final
from xml.etree import ElementTree

from wiki_common import VERSION
from wiki_web.data.bursts import Burst, BurstAnswer, BurstQuery
from wiki_web.data.queries import Query
from wiki_web.data.titles import MAX_TITLE
from wiki_web.http.parameters import is_wiki
from wiki_web.page.filter_form import address, counted, window_name
from wiki_web.page.formats import minute, rfc3339, signed, thousands

CONTENT_TYPE: Final = "application/atom+xml; charset=utf-8"
_ATOM: Final = "http://www.w3.org/2005/Atom"
_NAME: Final = "Live top of Wikipedia"
# What XML 1.0 can't hold, not even escaped.
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ElementTree.register_namespace("", _ATOM)


def atom_feed(query: BurstQuery, answer: BurstAnswer, default: Query, usual: BurstQuery) -> bytes:
    """The document; `default` is what an address of the page needn't name, `usual` one of the feed."""
    feed = ElementTree.Element(f"{{{_ATOM}}}feed")
    _add(feed, "id", query.id_of())
    _add(feed, "title", f"Titles that reach {_threshold(query)}")
    _add(feed, "subtitle", f"On Wikipedia. Counted: {counted(query.counted)}.")
    newest = max((burst.start for burst in answer.bursts), default=answer.moment)
    _add(feed, "updated", rfc3339(newest))
    _add(feed, "generator", _NAME, version=VERSION)
    _add(_add(feed, "author"), "name", _NAME)
    _add(feed, "link", rel="self", type="application/atom+xml", href=feed_address(query, usual))
    _add(feed, "link", rel="alternate", type="text/html", href=address("./", _shown(query, default), default))
    for burst in answer.bursts:
        _entry(feed, query, burst, default)
    document: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return document


def _entry(feed: ElementTree.Element, query: BurstQuery, burst: Burst, default: Query) -> None:
    """Its time stays that of the beginning: readers show an entry anew whose time has changed."""
    entry = _add(feed, "entry")
    page = _title_address(query, burst, default)
    _add(entry, "id", burst.id)
    _add(entry, "title", f"{burst.title}: {_threshold(query)}")
    _add(entry, "updated", rfc3339(burst.start))
    _add(entry, "published", rfc3339(burst.start))
    _add(entry, "link", rel="alternate", type="text/html", href=burst.url or page)
    _add(entry, "link", rel="related", type="text/html", href=page, title="Its changes")
    if burst.wiki:
        _add(entry, "category", term=burst.wiki)
    _add(entry, "summary", _summary(burst))


def _add(parent: ElementTree.Element, name: str, text: str = "", **attributes: str) -> ElementTree.Element:
    readable = {key: _readable(value) for key, value in attributes.items()}
    child = ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}", readable)
    child.text = _readable(text) or None
    return child


def _readable(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)


def _threshold(query: BurstQuery) -> str:
    how_many = "far more changes than usual" if query.unusual else f"{thousands(query.at_least)} changes"
    return f"{how_many} within {window_name(query.counted.window)}"


def _summary(burst: Burst) -> str:
    editors = f"{thousands(burst.editors)} editor{'' if burst.editors == 1 else 's'}"
    on = f" on {burst.wiki}" if burst.wiki else ""
    words = (
        f"{thousands(burst.changes)} changes{on} by {editors} from {burst.first:%Y-%m-%d %H:%M} to "
        f"{_until(burst.first, burst.last)} UTC, {signed(burst.bytes)} bytes."
    )
    return f"{words} Newest comment: {burst.comment}" if burst.comment else words


def _until(first: datetime, last: datetime) -> str:
    return minute(last) if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M}"


def _shown(query: BurstQuery, default: Query) -> Query:
    """What the page counts, as the feed does."""
    return replace(query.counted, limit=default.limit)


def _title_address(query: BurstQuery, burst: Burst, default: Query) -> str:
    """Of the title's page here; of the top where a name is no title's or no wiki's."""
    shown = _shown(query, default)
    if not 0 < len(burst.title) <= MAX_TITLE or not is_wiki(burst.wiki or ""):
        return address("./", shown, default)
    return address("page", shown, default, title=burst.title, on=burst.wiki or "")


def feed_address(query: BurstQuery, usual: BurstQuery) -> str:
    """Relative to a page."""
    at_least = "" if query.unusual or query.at_least == usual.at_least else str(query.at_least)
    return address("feed.atom", query.counted, usual.counted, at_least=at_least)
