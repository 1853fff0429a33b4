"""Errors as application/problem+json (RFC 9457), and as pages for browsers."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final, TypeVar

import structlog
from flask import Response, render_template, request
from werkzeug.exceptions import HTTPException

from wiki_web.data.answer_cache import Busy
from wiki_web.data.documents import Problem
from wiki_web.data.engines.engine import EngineError
from wiki_web.data.long_queries import TooManyChanges
from wiki_web.data.past.past_answers import OutOfReach
from wiki_web.http.parameters import BadParameter

_log = structlog.get_logger(__name__)

ErrorT = TypeVar("ErrorT", bound=Exception)

_HEADINGS: Final = {
    HTTPStatus.NOT_FOUND: "There is no such page",
    HTTPStatus.BAD_REQUEST: "This address can’t be understood",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Too many changes to be counted at once",
    HTTPStatus.SERVICE_UNAVAILABLE: "Busy: one moment please",
}
_NO_ROUTE: Final = "there is no such route: /api/v1/openapi.json lists those that there are"
_DETAILS: Final = {
    HTTPStatus.NOT_FOUND: "Nothing is at this address.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The server made a mistake; its log says which. Trying again may help.",
}


def problem(status: HTTPStatus, detail: str, parameter: str | None = None) -> Response:
    """A problem document; `detail` is a sentence for people."""
    document = Problem(title=status.phrase, status=status, detail=detail, parameter=parameter)
    body = document.model_dump_json(exclude_none=True)
    return Response(body, status, mimetype="application/problem+json")


def bad_parameter(error: BadParameter) -> Response:
    return problem(HTTPStatus.BAD_REQUEST, str(error), parameter=error.parameter)


def too_many_changes(error: TooManyChanges) -> Response:
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), parameter="window")


def busy(error: Busy) -> Response:
    return _ask_again(str(error))


def engine_failed(error: EngineError) -> Response:
    """The engine's message goes to the log alone: it may quote SQL or a path."""
    _log.error("no answer", reason=str(error), path=request.path)
    return _ask_again("the answer can't be computed at the moment")


def out_of_reach(error: OutOfReach) -> Response:
    return problem(HTTPStatus.BAD_REQUEST, f"to: {error}", parameter="to")


def _ask_again(detail: str) -> Response:
    response = problem(HTTPStatus.SERVICE_UNAVAILABLE, detail)
    response.headers["Retry-After"] = "2"
    return response


def http_error(error: HTTPException) -> Response:
    """Flask's own errors (404, 405, …) as problem documents that keep their headers, such as Allow."""
    status = HTTPStatus(error.code or 500)
    detail = _NO_ROUTE if status == HTTPStatus.NOT_FOUND else error.description
    response = problem(status, detail or status.description)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def html_for_browsers(problem_of: Callable[[ErrorT], Response]) -> Callable[[ErrorT], Response]:
    """`problem_of`, its document shown as a page to a browser that asks for one."""

    def handle(error: ErrorT) -> Response:
        problem = problem_of(error)
        if request.path.startswith("/api/"):
            return problem
        problem.vary.add("Accept")
        return _page(problem) if _asks_for_html() else problem

    return handle


def _asks_for_html() -> bool:
    return request.accept_mimetypes.best_match(("application/problem+json", "text/html")) == "text/html"


def _page(problem: Response) -> Response:
    """The same status and headers."""
    status = HTTPStatus(problem.status_code)
    page = render_template(
        "error.html",
        status=status,
        heading=_HEADINGS.get(status, "Something went wrong"),
        detail=_DETAILS.get(status) or problem.get_json()["detail"],
        again=status == HTTPStatus.SERVICE_UNAVAILABLE,
    )
    problem.set_data(page)
    problem.content_type = "text/html; charset=utf-8"
    return problem
