"""Rendered pages, kept compressed and with their ETag: many viewers cost one rendering."""

import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
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
        response.set_etag(f"{self.etag}-{'gzip' if compress else 'plain'}")
        response.make_conditional(request)
        return response


class PageCache:
    """Bounded; the page asked for longest ago goes first. One at a time is rendered."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._making = threading.Lock()
        self._pages: OrderedDict[Hashable, RenderedPage] = OrderedDict()

    def get(self, key: Hashable, render: Callable[[], str]) -> RenderedPage:
        """The page of `key`; equal keys must mean equal pages."""
        page = self._kept(key)
        if page is not None:
            return page
        with self._making:
            return self._kept(key) or self._make(key, render)

    def _kept(self, key: Hashable) -> RenderedPage | None:
        with self._guard:
            if key in self._pages:
                self._pages.move_to_end(key)
            return self._pages.get(key)

    def _make(self, key: Hashable, render: Callable[[], str]) -> RenderedPage:
        plain = render().encode()
        etag = hashlib.blake2b(plain, digest_size=12).hexdigest()
        page = RenderedPage(plain, gzip.compress(plain, compresslevel=6, mtime=0), etag)
        with self._guard:
            self._pages[key] = page
            while len(self._pages) > _KEPT:
                self._pages.popitem(last=False)
        return page
