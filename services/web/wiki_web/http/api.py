"""/api/v1: the answers as JSON and CSV."""

import json
from typing import Any

from flask import Blueprint, Response, request

from wiki_web.data.answer_cache import AnswerCache, CachedAnswer
from wiki_web.data.answers import State
from wiki_web.data.queries import Kind
from wiki_web.http.csv_format import csv_text
from wiki_web.http.openapi import openapi
from wiki_web.http.parameters import Parameters, answer_format
from wiki_web.settings import Settings

_TYPES = {"json": "application/json", "csv": "text/csv; charset=utf-8"}


def api_blueprint(settings: Settings, parameters: Parameters, answers: AnswerCache) -> Blueprint:
    """GET /top, /timeline, /changes, /editors, and openapi.json, which describes them."""
    api = Blueprint("api", __name__, url_prefix="/api/v1")
    described = json.dumps(openapi(settings))

    def answer(kind: Kind) -> Response:
        given = request.args.to_dict(flat=False)
        form = answer_format(given)
        cached = answers.get(parameters.query(kind, given))
        state = answers.state_of(cached.position)
        render = _json if form == "json" else lambda document: csv_text(kind, document)
        return conditional(cached, form, state, cached.rendered(form, state, render), _TYPES[form])

    @api.get("/top")
    def top() -> Response:
        return answer("top")

    @api.get("/timeline")
    def timeline() -> Response:
        return answer("timeline")

    @api.get("/changes")
    def changes() -> Response:
        return answer("changes")

    @api.get("/editors")
    def editors() -> Response:
        return answer("editors")

    @api.get("/openapi.json")
    def description() -> Response:
        return Response(described, content_type="application/json")

    return api


def conditional(cached: CachedAnswer, form: str, state: State, body: bytes, content_type: str) -> Response:
    """`body` with the cached's ETag, or 304 when the client has it."""
    response = Response(body, content_type=content_type)
    response.set_etag(cached.etag(form, state))
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
