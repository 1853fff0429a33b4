"""GET /api/v1/stream: told whenever there is a newer answer."""

from http import HTTPStatus

from flask import Blueprint, Response, request

from wiki_web.http.parameters import BadParameter
from wiki_web.http.problems import problem
from wiki_web.push.stream_response import SOCKET, StreamResponse
from wiki_web.push.streams import Streams

_COME_AGAIN = "30"  # seconds


def stream_blueprint(streams: Streams) -> Blueprint:
    """The route; 503 while there are as many streams as there may be."""
    blueprint = Blueprint("stream", __name__)

    @blueprint.get("/api/v1/stream")
    def stream() -> Response:
        for name in request.args:
            raise BadParameter(name, "unknown; the stream has no parameters")
        if not streams.has_room() or SOCKET not in request.environ:
            refusal = problem(HTTPStatus.SERVICE_UNAVAILABLE, "no room for another stream: poll instead")
            refusal.headers["Retry-After"] = _COME_AGAIN
            return refusal
        return StreamResponse(streams, request.headers.get("Last-Event-ID"))

    return blueprint
