"""A name for each request, which is in every line that is logged while it is answered, and in the answer."""

import re
import secrets
from typing import Final

from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

HEADER: Final = "X-Request-Id"
# As proxies make them; anything else is a stranger's text, which has no place in the log.
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def name_requests(app: Flask) -> None:
    """By the header of that name that a proxy has given, else anew; before anything else sees the request."""

    @app.before_request
    def begin() -> None:
        given = request.headers.get(HEADER, "")
        g.request_id = given if _ID.fullmatch(given) else secrets.token_hex(8)
        bind_contextvars(request_id=g.request_id)

    @app.after_request
    def tell(response: Response) -> Response:
        response.headers[HEADER] = g.request_id
        return response

    @app.teardown_request
    def end(_: BaseException | None) -> None:
        clear_contextvars()  # the thread answers another one next
