"""The API's description in OpenAPI 3.1, with the defaults and bounds of the running server."""

from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from wiki_common import VERSION
from wiki_common.duration import duration_text
from wiki_web.data.bursts import MOST_BURSTS, longest_unusual_window, longest_window
from wiki_web.data.documents import DOCUMENTS, Problem
from wiki_web.data.queries import EDITS, MAX_LIMIT, TYPES, Kind
from wiki_web.data.titles import MAX_TITLE
from wiki_web.data.unusual_bursts import SURPRISING
from wiki_web.http.csv_format import csv_columns
from wiki_web.http.parameters import ALLOWED, AT_LEAST, FEED, LEAST, MAX_VALUES, MOST
from wiki_web.push.events import Newest
from wiki_web.settings import Settings

Schema = dict[str, Any]

_SUMMARIES: Final[dict[Kind, str]] = {
    "top": "The titles that changed most in the window, with standard ranks (1, 2, 2, 4). "
    "Ties: the title changed last comes first, then by title and wiki. With order=unusual those that changed "
    "much more than in the last week, by two editors at least.",
    "timeline": "Changes, editors and bytes over the window, in equal buckets (from, to], oldest first.",
    "changes": "The newest changes, of one title or of all.",
    "editors": "The users who changed most in the window, with standard ranks; also of one title.",
}


def openapi(settings: Settings) -> Schema:
    """The document served at /api/v1/openapi.json."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Live top of Wikipedia",
            "version": VERSION,
            "description": (
                "Answers are fixed to a commit: the window is (from, to], to is as_of, up to which "
                "everything is counted. With to=… they are as they were at a past moment. In the gaps nobody "
                "watched: what is null there is not known. Every answer has an ETag and honours "
                "If-None-Match. format=csv gives the list as CSV."
            ),
        },
        # Relative to this document: a reverse proxy may serve us below a path that nobody has told us.
        "servers": [{"url": "../.."}],
        "paths": {
            **{f"/api/v1/{kind}": {"get": _operation(kind, settings)} for kind in _SUMMARIES},
            "/api/v1/stream": {"get": _stream(settings)},
            "/feed.atom": {"get": _feed(settings)},
        },
        "components": {"schemas": _schemas()},
    }


class _WithoutTitles(GenerateJsonSchema):
    """A field's title would only repeat its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _schemas() -> Schema:
    models: list[type[BaseModel]] = [*DOCUMENTS.values(), Problem, Newest]
    _, found = models_json_schema(
        [(model, "serialization") for model in models],
        ref_template="#/components/schemas/{model}",
        schema_generator=_WithoutTitles,
    )
    schemas: Schema = found["$defs"]
    return schemas


def _operation(kind: Kind, settings: Settings) -> Schema:
    parameters = _parameters(settings)
    return {
        "operationId": kind,
        "summary": _SUMMARIES[kind],
        "parameters": [
            {"name": name, "in": "query", "required": False, **parameters[name]} for name in ALLOWED[kind]
        ],
        "responses": {
            "200": {
                "description": "The answer at the newest commit, or as it was at a past moment.",
                "headers": {"ETag": {"required": True, "schema": {"type": "string"}}},
                "content": {
                    "application/json": {"schema": _answer(kind)},
                    "text/csv": {"schema": {"type": "string", "description": _csv(kind)}},
                },
            },
            "304": {"description": "The client's ETag is that of the answer."},
            "400": _problem_response("A parameter is wrong; it is named."),
            "413": _problem_response("The request had a body."),
            "414": _problem_response("The query is too long."),
            "422": _problem_response("The window has more such changes than can be counted at once."),
            "503": _problem_response("Too many different queries at once, or the engine failed: ask again."),
        },
    }


def _answer(kind: Kind) -> Schema:
    own = _reference(DOCUMENTS[kind].__name__)
    return {"anyOf": [own, _reference(DOCUMENTS["unusual"].__name__)]} if kind == "top" else own


def _stream(settings: Settings) -> Schema:
    return {
        "operationId": "stream",
        "summary": "Tells when there is a newer answer: a few viewers at once, "
        f"many within {settings.web_refresh_seconds} s.",
        "parameters": [
            {
                "name": "Last-Event-ID",
                "in": "header",
                "required": False,
                "description": "The id of the last event: while it is the newest, nothing is told.",
                "schema": {"type": "string"},
            }
        ],
        "responses": {
            "200": {
                "description": "A stream without end. The data of each event is a document Newest. "
                "Comments come while there is nothing to tell.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            "400": _problem_response("The stream has no parameters."),
            "413": _problem_response("The request had a body."),
            "414": _problem_response("The query is too long."),
            "503": _problem_response("No room for another stream: poll instead."),
        },
    }


def _feed(settings: Settings) -> Schema:
    return {
        "operationId": "feed",
        "summary": "The titles that reached so many changes within the window, or became unusual, as an "
        f"Atom feed (RFC 4287): an entry for each burst, the newest {MOST_BURSTS}. A new answer comes once a "
        "minute.",
        "parameters": _feed_parameters(settings),
        "responses": {
            "200": {
                "description": "An entry keeps its id, whenever and of whichever instance it is asked for.",
                "headers": {"ETag": {"required": True, "schema": {"type": "string"}}},
                "content": {"application/atom+xml": {"schema": {"type": "string"}}},
            },
            "304": {"description": "The client's ETag is that of the feed."},
            "400": _problem_response("A parameter is wrong; it is named."),
            "413": _problem_response("The request had a body."),
            "414": _problem_response("The query is too long."),
            "422": _problem_response("There are more such changes than can be looked at at once."),
            "503": _problem_response(
                "Nothing is counted yet, too many ask, or the engine failed: ask again."
            ),
        },
    }


def _feed_parameters(settings: Settings) -> list[Schema]:
    longest = longest_window(settings.web_max_window)
    window = duration_text(min(settings.web_window, longest))
    unusual = longest_unusual_window(settings.web_max_window)
    most = "" if unusual is None else f" With order=unusual up to {duration_text(unusual)}."
    schema = {"type": "string", "pattern": "^[0-9]{1,9}(ms|s|m|h|d)$", "default": window}
    own = {
        "at_least": {
            "description": "How many changes a title has to reach; not with order=unusual.",
            "schema": {"type": "integer", "minimum": LEAST, "maximum": MOST, "default": AT_LEAST},
        },
        "order": {
            "description": "changes: titles that reach at_least changes. unusual: those whose surprise, "
            f"as in /api/v1/top, reaches {SURPRISING}; types and bots must be edit,new and exclude then, "
            "and there is no user.",
            "schema": {
                "type": "string",
                "enum": ["changes", *(["unusual"] if unusual else [])],
                "default": "changes",
            },
        },
        "window": {
            "description": f"Within which time: 1m to {duration_text(longest)}, in whole seconds.{most}",
            "schema": schema,
        },
    }
    described = {**_parameters(settings), **own}
    return [{"name": name, "in": "query", "required": False, **described[name]} for name in FEED]


def _parameters(settings: Settings) -> dict[str, Schema]:
    longest = duration_text(settings.web_max_window)
    return {
        "window": {
            "description": f"How far back from as_of: 1m to {longest}, in whole seconds.",
            "schema": {
                "type": "string",
                "pattern": "^[0-9]{1,9}(ms|s|m|h|d)$",
                "default": duration_text(settings.web_window),
            },
        },
        "to": {
            "description": "A past moment, in RFC 3339: the answer as it was then, as far back as changes "
            "are kept. The newest commit if not given. 503 while many such requests wait.",
            "schema": {"type": "string", "format": "date-time"},
        },
        "limit": {
            "description": "How many items at most.",
            "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": settings.web_top_n},
        },
        "order": {
            "description": "changes: the most changed first. unusual: those first whose changes are most "
            "surprising, against their last week; types and bots must be edit,new and exclude then.",
            "schema": {"type": "string", "enum": ["changes", "unusual"], "default": "changes"},
        },
        "types": {
            "description": f"all, or a comma list of {', '.join(TYPES)}.",
            "schema": {
                "type": "string",
                "pattern": f"^(all|({'|'.join(TYPES)})(,({'|'.join(TYPES)}))*)$",
                "default": ",".join(EDITS),
            },
        },
        "bots": {
            "description": "Whether changes marked as a bot's count.",
            "schema": {"type": "string", "enum": ["include", "exclude", "only"], "default": "include"},
        },
        "editors": {
            "description": "Whose changes count. Anonymous are temporary accounts (~2026-10417-3) and IP "
            "addresses; one whose name was removed is neither.",
            "schema": {"type": "string", "enum": ["all", "anonymous", "registered"], "default": "all"},
        },
        "user": {
            "description": "The changes of one user, by the whole name; as in titles, underscores count as "
            "spaces, and Unicode's normal forms as the same.",
            "schema": {"type": "string", "minLength": 1, "maxLength": MAX_TITLE},
        },
        "namespace": {
            "description": f"A comma list of at most {MAX_VALUES} namespace numbers; all if not given.",
            "schema": {"type": "string", "pattern": "^-?[0-9]{1,5}(,-?[0-9]{1,5})*$"},
        },
        "wiki": {
            "description": f"A comma list of at most {MAX_VALUES} wikis, such as enwiki; all if not given.",
            "schema": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}(,[a-z][a-z0-9_]{0,39})*$"},
        },
        "title": {
            "description": "One title; underscores count as spaces, and Unicode's normal forms as the same.",
            "schema": {"type": "string", "minLength": 1, "maxLength": MAX_TITLE},
        },
        "format": {
            "description": "The format of the answer.",
            "schema": {"type": "string", "enum": ["json", "csv"], "default": "json"},
        },
    }


def _csv(kind: Kind) -> str:
    columns = ",".join(csv_columns(kind))
    if kind == "top":
        more = [name for name in csv_columns("unusual") if name not in csv_columns(kind)]
        columns += f"; with order=unusual {','.join(more)} as well"
    return (
        f"A header line, then one line per item: {columns}. Texts that begin with = + - "
        "@ (also full-width), a tab or a line break get an apostrophe in front: no spreadsheet computes them."
    )


def _problem_response(description: str) -> Schema:
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": _reference(Problem.__name__)}},
    }


def _reference(model: str) -> Schema:
    return {"$ref": f"#/components/schemas/{model}"}
