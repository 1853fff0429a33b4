"""What events are about: pages, users and comments, made once from a seed, picked with a natural skew."""

import html
import json
from collections.abc import Sequence
from random import Random
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import quote

from stream_simulator.names import ODD_COMMENTS, ODD_TITLES, ODD_USERS, Names
from stream_simulator.wikis import ENGLISH, WIKIS, Wiki

Item = TypeVar("Item")

DRAWS = 2**32
"""A draw is a whole number below this."""

_ENCODER = json.JSONEncoder(ensure_ascii=False)
_FLATTENING = 10.0
_ENGLISH_PAGES = 12_000
_ODD_TITLE_EVERY = 7
_NAMESPACES = (
    (0, ""),
    (0, ""),
    (0, ""),
    (0, ""),
    (0, ""),
    (1, "Talk:"),
    (3, "User talk:"),
    (4, "Wikipedia:"),
)


class Page(NamedTuple):
    """A page, ready to be put into an event."""

    namespace: int
    title: str
    """JSON text, quotes included."""
    path: str
    """The title in a URL, percent-encoded."""


class Comment(NamedTuple):
    """A comment and its HTML, both as JSON text."""

    text: str
    parsed: str


class Skewed(Generic[Item]):
    """Items of which the one at `rank` is picked in proportion to 1/(rank + 10): few are busy."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = tuple(items)
        self._growth = len(self._items) / _FLATTENING + 1

    def pick(self, draw: int) -> Item:
        return self._items[int(_FLATTENING * (self._growth ** (draw / DRAWS) - 1))]


class Catalogue:
    """What the events of one seed are about; making it takes about a second."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.pages = {wiki.name: Skewed(_pages(seed, wiki)) for wiki in WIKIS}
        self.categories = {wiki.name: Skewed(_categories(seed, wiki)) for wiki in WIKIS}
        self.users = Skewed(_users(seed))
        """People, temporary accounts and addresses, as JSON text."""
        self.bots = Skewed(_bots(seed))
        """The accounts of bots, as JSON text."""
        self.comments = Skewed(_comments(seed))


def _pages(seed: int, wiki: Wiki) -> list[Page]:
    random = _random(seed, wiki.name, "pages")
    names = Names(random, wiki.script)
    titles: dict[str, int] = {}
    size = _ENGLISH_PAGES if wiki is ENGLISH else 200 + wiki.share * 10
    odd = iter(ODD_TITLES if wiki.script not in ("file", "item") else ())
    while len(titles) < size:
        if len(titles) % _ODD_TITLE_EVERY == _ODD_TITLE_EVERY - 1 and (title := next(odd, None)):
            titles[title] = 0
        elif wiki.script == "file":
            titles[names.title()] = 6
        elif wiki.script == "item":
            namespace, title = names.entity()
            titles[title] = namespace
        else:
            namespace, prefix = random.choice(_NAMESPACES)
            titles[prefix + (names.user() if namespace == 3 else names.title())] = namespace
    return [_page(namespace, title) for title, namespace in titles.items()]


def _categories(seed: int, wiki: Wiki) -> list[Page]:
    names = Names(_random(seed, wiki.name, "categories"), wiki.script)
    return [_page(14, names.category()) for _ in range(200)]


def _users(seed: int) -> list[str]:
    names = Names(_random(seed, "users"))
    known = [names.user() for _ in range(3000)]
    for number, user in enumerate(ODD_USERS):
        known.insert(5 + 11 * number, user)
    return [_text(user) for user in dict.fromkeys(known)]


def _bots(seed: int) -> list[str]:
    names = Names(_random(seed, "bots"))
    return [_text(f"{name}Bot") for name in dict.fromkeys(names.word() for _ in range(60))]


def _comments(seed: int) -> list[Comment]:
    random = _random(seed, "comments")
    names = Names(random)
    made = [
        f"/* {names.word()} */ {random.choice(('fix', 'add', 'update', 'remove'))} {names.word().lower()}"
        for _ in range(300)
    ]
    return [Comment(_text(comment), _text(html.escape(comment))) for comment in [*ODD_COMMENTS, *made]]


def _page(namespace: int, title: str) -> Page:
    return Page(namespace, _text(title), quote(title.replace(" ", "_"), safe="/:,;@!*()'"))


def _random(*parts: int | str) -> Random:
    return Random("/".join(map(str, parts)))  # noqa: S311 - the content is made up, not secret


def _text(value: str) -> str:
    return _ENCODER.encode(value)
