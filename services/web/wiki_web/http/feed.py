"""GET /feed.atom: the titles that reached many changes at once, or became unusual, for feed readers."""

import hashlib
from functools import lru_cache
from typing import Final

from flask import Blueprint, Response, request

from wiki_web.data.answer_cache import Rendering
from wiki_web.data.bursts import BurstAnswer, BurstQuery, Bursts
from wiki_web.http.api import conditional
from wiki_web.http.atom import CONTENT_TYPE, atom_feed
from wiki_web.http.parameters import Parameters

_MOST_DOCUMENTS: Final = 32
_FRESH: Final = "max-age=60"  # seconds: there is a new answer once a minute


def feed_blueprint(parameters: Parameters, bursts: Bursts) -> Blueprint:
    """The route alone."""
    blueprint = Blueprint("feed", __name__)

    @lru_cache(maxsize=_MOST_DOCUMENTS)
    def rendering(query: BurstQuery, answer: BurstAnswer) -> Rendering:
        body = atom_feed(query, answer, parameters.default(), parameters.burst_query({}))
        return Rendering(body, hashlib.blake2b(body, digest_size=12).hexdigest())

    @blueprint.get("/feed.atom")
    def feed() -> Response:
        query = parameters.burst_query(request.args.to_dict(flat=False))
        response = conditional(rendering(query, bursts.get(query)), CONTENT_TYPE)
        response.headers["Cache-Control"] = _FRESH
        return response

    return blueprint
