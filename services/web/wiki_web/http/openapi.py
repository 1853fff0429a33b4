"""The API's description in OpenAPI 3.1, with the defaults and bounds of the running server."""

from typing import Final

from wiki_common.duration import duration_text
from wiki_web.data.answers import LIST_NAMES
from wiki_web.data.queries import EDITS, TYPES, Kind
from wiki_web.http.parameters import ALLOWED, MAX_LIMIT, MAX_TITLE, MAX_VALUES
from wiki_web.settings import Settings
from wiki_web.shapes import COUNT, ITEMS, TEXT, TEXT_OR_NULL, TIME_OR_NULL, Schema

_SUMMARIES: Final[dict[Kind, str]] = {
    "top": "The titles that changed most in the window, with standard ranks (1, 2, 2, 4). "
    "Ties: the title changed last comes first, then by title and wiki.",
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
            "version": "1",
            "description": (
                "Answers are fixed to a commit: the window is (from, to], to is as_of, its newest event. "
                "Every answer has an ETag and honours If-None-Match. format=csv gives the list as CSV."
            ),
        },
        "paths": {f"/api/v1/{kind}": {"get": _operation(kind, settings)} for kind in _SUMMARIES},
        "components": {"schemas": {"Problem": _problem(), "Filters": _filters(), "Totals": _totals()}},
    }


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
                "description": "The answer at the newest commit.",
                "headers": {"ETag": {"required": True, "schema": TEXT}},
                "content": {
                    "application/json": {"schema": _answer(kind)},
                    "text/csv": {"schema": {**TEXT, "description": _csv(kind)}},
                },
            },
            "304": {"description": "The client's ETag is that of the answer."},
            "400": _problem_response("A parameter is wrong; it is named."),
            "413": _problem_response("The request had a body."),
            "414": _problem_response("The query is too long."),
            "503": _problem_response("Too many different queries at once, or the engine failed: ask again."),
        },
    }


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
        "limit": {
            "description": "How many items at most.",
            "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": settings.web_top_n},
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
        "namespace": {
            "description": f"A comma list of at most {MAX_VALUES} namespace numbers; all if not given.",
            "schema": {"type": "string", "pattern": "^-?[0-9]{1,5}(,-?[0-9]{1,5})*$"},
        },
        "wiki": {
            "description": f"A comma list of at most {MAX_VALUES} wikis, such as enwiki; all if not given.",
            "schema": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}(,[a-z][a-z0-9_]{0,39})*$"},
        },
        "title": {
            "description": "One title, exactly; underscores count as spaces.",
            "schema": {"type": "string", "minLength": 1, "maxLength": MAX_TITLE},
        },
        "format": {
            "description": "The form of the answer.",
            "schema": {"type": "string", "enum": ["json", "csv"], "default": "json"},
        },
    }


def _answer(kind: Kind) -> Schema:
    properties: Schema = {
        "as_of": TIME_OR_NULL,
        "state": {"type": "string", "enum": ["starting", "empty", "live", "stale"]},
        "loading": {
            **_object({"done": COUNT, "of": COUNT}, "Files read, and of how many, while starting."),
            "type": ["object", "null"],
        },
        "window": _object({"from": TIME_OR_NULL, "to": TIME_OR_NULL}),
        "filters": {"$ref": "#/components/schemas/Filters"},
        "totals": {"$ref": "#/components/schemas/Totals"},
        "wikis": {"type": "array", "items": TEXT, "description": "The wikis of what was counted, sorted."},
        LIST_NAMES[kind]: {"type": "array", "items": _object(ITEMS[kind]), "maxItems": MAX_LIMIT},
    }
    if kind in ("top", "timeline"):
        properties["bucket_seconds"] = {
            "type": "integer",
            "minimum": 60,
            "description": "60 up to a window of one hour; longer windows have at most 60 longer buckets.",
        }
    return _object(properties)


def _csv(kind: Kind) -> str:
    return (
        f"A header line, then one line per item: {','.join(ITEMS[kind])}. Texts that begin with = + - @ ("
        "also full-width), a tab or a line break get an apostrophe in front: no spreadsheet computes them."
    )


def _filters() -> Schema:
    texts: Schema = {"type": ["array", "null"], "items": TEXT}
    numbers: Schema = {"type": ["array", "null"], "items": {"type": "integer"}}
    filters = {"types": texts, "bots": TEXT, "namespace": numbers, "wiki": texts, "title": TEXT_OR_NULL}
    return _object(filters, "What was counted; null means all.")


def _totals() -> Schema:
    totals = {"changes": COUNT, "titles": COUNT, "editors": COUNT}
    return _object(totals, "Over the whole window, beyond the list's limit.")


def _problem() -> Schema:
    problem = {
        "type": TEXT,
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": TEXT,
    }
    return {
        "type": "object",
        "required": list(problem),
        "properties": {**problem, "parameter": TEXT},
        "additionalProperties": False,
    }


def _problem_response(description: str) -> Schema:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}


def _object(properties: Schema, description: str | None = None) -> Schema:
    schema = {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }
    return schema if description is None else {**schema, "description": description}
