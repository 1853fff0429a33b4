"""/api/v1: the answers as JSON and CSV."""

import json
from functools import partial

from flask import Blueprint, Response, request

from wiki_web.data.answer_cache import Rendering
from wiki_web.data.past.past_answers import PastAnswers
from wiki_web.data.queries import Kind
from wiki_web.http.csv_format import csv_text
from wiki_web.http.openapi import openapi
from wiki_web.http.parameters import Parameters, format_of
from wiki_web.settings import Settings

_CSV = "text/csv; charset=utf-8"


def api_blueprint(settings: Settings, parameters: Parameters, answers: PastAnswers) -> Blueprint:
    """GET /top, /timeline, /changes, /editors, and openapi.json, which describes them."""
    api = Blueprint("api", __name__, url_prefix="/api/v1")
    described = json.dumps(openapi(settings))

    def answer(kind: Kind) -> Response:
        given = request.args.to_dict(flat=False)
        answer_format = format_of(given)
        query = parameters.query(kind, given)
        cached, state = answers.get(query)
        if answer_format == "csv":
            return conditional(cached.rendered("csv", state, partial(csv_text, query.kind)), _CSV)
        return conditional(cached.as_json(state), "application/json")

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


def conditional(rendering: Rendering, content_type: str) -> Response:
    """Its body, or 304 when the client has it."""
    response = Response(rendering.body, content_type=content_type)
    response.set_etag(rendering.etag)
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response
