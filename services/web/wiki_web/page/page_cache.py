"""Rendered pages, kept compressed and with their ETag: many viewers cost one rendering."""

import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import Request, Response

_KEPT: Final = 64


@dataclass(frozen=True)
class RenderedPage:
    """HTML as it is sent, plain or compressed."""

    plain: bytes
    compressed: bytes
    etag: str

    def response(self, request: Request) -> Response:
        """Compressed where the client accepts it, or 304 when the client has the page."""
        compress = request.accept_encodings["gzip"] > 0
        response = Response(
            self.compressed if compress else self.plain, content_type="text/html; charset=utf-8"
        )
        if compress:
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = "no-cache"
        # Weak: the same page at another moment has other words for how long ago things were.
        response.set_etag(f"{self.etag}-{'gzip' if compress else 'plain'}", weak=True)
        response.make_conditional(request)
        return response


class PageCache:
    """Bounded; the page asked for longest ago goes first. One at a time is rendered."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._making = threading.Lock()
        self._pages: OrderedDict[str, RenderedPage] = OrderedDict()

    def get(self, identity: str, render: Callable[[], str]) -> RenderedPage:
        """The page that `identity` tells from all others, in each process alike; its ETag is made of that."""
        page = self._kept(identity)
        if page is not None:
            return page
        with self._making:
            return self._kept(identity) or self._make(identity, render)

    def _kept(self, identity: str) -> RenderedPage | None:
        with self._guard:
            if identity in self._pages:
                self._pages.move_to_end(identity)
            return self._pages.get(identity)

    def _make(self, identity: str, render: Callable[[], str]) -> RenderedPage:
        plain = render().encode()
        etag = hashlib.blake2b(identity.encode(), digest_size=12).hexdigest()
        page = RenderedPage(plain, gzip.compress(plain, compresslevel=6, mtime=0), etag)
        with self._guard:
            self._pages[identity] = page
            while len(self._pages) > _KEPT:
                self._pages.popitem(last=False)
        return page
