"""Errors of the pages as HTML; the API and whoever doesn't ask for HTML keep problem+json."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final, TypeVar

from flask import Response, render_template, request

ErrorT = TypeVar("ErrorT", bound=Exception)

_HEADINGS: Final = {
    HTTPStatus.NOT_FOUND: "There is no such page",
    HTTPStatus.BAD_REQUEST: "This address can’t be understood",
    HTTPStatus.SERVICE_UNAVAILABLE: "Busy: one moment please",
}
_DETAILS: Final = {
    HTTPStatus.NOT_FOUND: "Nothing is at this address.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The server made a mistake; its log says which. Trying again may help.",
}


def for_people(problem_of: Callable[[ErrorT], Response]) -> Callable[[ErrorT], Response]:
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
