"""What event i is about: a pure function of seed, start, rate and i."""

from hashlib import blake2b
from math import exp
from statistics import NormalDist
from struct import Struct
from typing import NamedTuple

from stream_simulator.catalogue import Catalogue, Comment, Page
from stream_simulator.timeline import Timeline
from stream_simulator.wikis import WIKIS, Wiki

_TYPES = ("categorize",) * 495 + ("edit",) * 408 + ("log",) * 78 + ("new",) * 19
_WIKIS = tuple(wiki for wiki in WIKIS for _ in range(wiki.share))
_REDACTED_EVERY = 200
_DRAWS = Struct("<8I")


def _lags() -> tuple[int, ...]:
    """1,024 equally likely lags of `timestamp` behind `meta.dt` in ms: median 1.6 s, p99 7 s, at most 20 s.

    Each is half a second less here: cutting `timestamp` to whole seconds adds as much on average.
    """
    normal = NormalDist()
    lags = [int(1600 * exp(0.634 * normal.inv_cdf((k + 0.5) / 1024))) for k in range(1023)]
    return tuple(max(0, lag - 500) for lag in [*lags, 19_500])


_LAGS = _lags()


class Change(NamedTuple):
    """A change of a page, with what its event says about it; texts are JSON, quotes included."""

    offset: int
    """The event's index in the stream: `meta.offset`."""
    time: int
    """Stream time, ms since the epoch: `meta.dt`."""
    id: str
    request_id: str
    wiki: Wiki
    type: str
    page: Page
    comment: Comment
    timestamp: int
    """When the page changed, seconds since the epoch."""
    user: str | None
    """None: redacted, the field is absent."""
    bot: bool
    detail: int
    """A draw for sizes, flags and the kind of log entry."""


class Changes:
    """All changes of one seed on one timeline."""

    def __init__(self, catalogue: Catalogue, timeline: Timeline) -> None:
        self._key = catalogue.seed.to_bytes(8, "little")
        self._catalogue = catalogue
        self._timeline = timeline

    def change(self, index: int, *, wiki: Wiki | None = None, type_: str | None = None) -> Change:
        """Change `index`; `wiki` and `type_` where they are not to be drawn."""
        digest = blake2b(index.to_bytes(8, "little"), digest_size=64, key=self._key).digest()
        of_wiki, of_type, of_page, of_user, of_bot, of_comment, of_lag, detail = _DRAWS.unpack_from(
            digest, 32
        )
        time = self._timeline.time(index)
        wiki = wiki or _WIKIS[of_wiki % 1000]
        type_ = type_ or _TYPES[of_type % 1000]
        catalogue = self._catalogue
        pages = catalogue.categories if type_ == "categorize" else catalogue.pages
        bot = of_bot % 3 == 0
        user = (catalogue.bots if bot else catalogue.users).pick(of_user)
        return Change(
            index,
            time,
            _uuid(digest[:16].hex()),
            _uuid(digest[16:32].hex()),
            wiki,
            type_,
            pages[wiki.name].pick(of_page),
            catalogue.comments.pick(of_comment),
            (time - _LAGS[of_lag % 1024]) // 1000,
            None if of_bot % _REDACTED_EVERY == 1 else user,
            bot,
            detail,
        )


def _uuid(digits: str) -> str:
    """A version 4 UUID from 32 hexadecimal digits."""
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
