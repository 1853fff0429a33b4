"""/api/v1: the answers as JSON and CSV."""

import json
from functools import partial

from flask import Blueprint, Response, request

from wiki_web.data.documents import Document
from wiki_web.data.past.past_answers import PastAnswers
from wiki_web.data.queries import Kind
from wiki_web.http.csv_format import csv_text
from wiki_web.http.openapi import openapi
from wiki_web.http.parameters import Parameters, format_of
from wiki_web.settings import Settings

_TYPES = {"json": "application/json", "csv": "text/csv; charset=utf-8"}


def api_blueprint(settings: Settings, parameters: Parameters, answers: PastAnswers) -> Blueprint:
    """GET /top, /timeline, /changes, /editors, and openapi.json, which describes them."""
    api = Blueprint("api", __name__, url_prefix="/api/v1")
    described = json.dumps(openapi(settings))

    def answer(kind: Kind) -> Response:
        given = request.args.to_dict(flat=False)
        answer_format = format_of(given)
        cached, state = answers.get(parameters.query(kind, given))
        render = Document.model_dump_json if answer_format == "json" else partial(csv_text, kind)
        body = cached.rendered(answer_format, state, render)
        return _conditional(body, _TYPES[answer_format], cached.etag(answer_format, state))

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


def _conditional(body: bytes, content_type: str, etag: str) -> Response:
    """`body`, or 304 when the client has it."""
    response = Response(body, content_type=content_type)
    response.set_etag(etag)
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response
