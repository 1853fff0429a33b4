"""Headers that every response carries, and requests that are refused."""

from http import HTTPStatus

from flask import Flask, Response, request

from wiki_common import VERSION
from wiki_web.http.problems import problem

_MAX_QUERY_STRING = 4096  # bytes
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    # By this the page's script tells the service's answers from those of a proxy on the way.
    "X-Wiki-Live-Top": VERSION,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def secure(app: Flask) -> None:
    """Refuse bodies and overlong queries, add the headers to every response."""

    @app.before_request
    def refuse() -> Response | None:
        if request.content_length or "Transfer-Encoding" in request.headers:
            refusal = problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "requests have no body here")
            refusal.headers["Connection"] = "close"
            return refusal
        if len(request.query_string) > _MAX_QUERY_STRING:
            return problem(
                HTTPStatus.REQUEST_URI_TOO_LONG, f"the query is longer than {_MAX_QUERY_STRING} bytes"
            )
        return None

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.extend(_HEADERS)
        return response
