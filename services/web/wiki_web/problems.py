"""Errors as application/problem+json (RFC 9457)."""

import json
from http import HTTPStatus
from typing import Any

import structlog
from flask import Response, request
from werkzeug.exceptions import HTTPException

from wiki_web.engines import EngineError
from wiki_web.parameters import BadParameter
from wiki_web.snapshots import Busy

_log = structlog.get_logger(__name__)


def problem(status: HTTPStatus, detail: str, **more: Any) -> Response:
    """`detail` is for people; `more` for programs."""
    document = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        **more,
    }
    return Response(json.dumps(document), status, mimetype="application/problem+json")


def bad_parameter(error: BadParameter) -> Response:
    return problem(HTTPStatus.BAD_REQUEST, str(error), parameter=error.parameter)


def busy(error: Busy) -> Response:
    return _ask_again(str(error))


def engine_failed(error: EngineError) -> Response:
    """The engine's words, which may quote SQL or a path, are for the log."""
    _log.error("no answer", reason=str(error), path=request.path)
    return _ask_again("the answer can't be computed at the moment")


def _ask_again(detail: str) -> Response:
    response = problem(HTTPStatus.SERVICE_UNAVAILABLE, detail)
    response.headers["Retry-After"] = "2"
    return response


def http_error(error: HTTPException) -> Response:
    """Flask's own errors (404, 405, …) in the same form, with their headers, such as Allow."""
    status = HTTPStatus(error.code or 500)
    response = problem(status, error.description or status.description)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response
