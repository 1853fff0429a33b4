"""The items of each kind of answer, as JSON Schema: the API's description and the CSV follow them."""

from typing import Any, Final

from wiki_web.data.queries import Kind

Schema = dict[str, Any]

COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
TEXT: Final[Schema] = {"type": "string"}
TEXT_OR_NULL: Final[Schema] = {"type": ["string", "null"]}
TIME: Final[Schema] = {"type": "string", "format": "date-time"}
TIME_OR_NULL: Final[Schema] = {"type": ["string", "null"], "format": "date-time"}
RANK: Final[Schema] = {"type": "integer", "minimum": 1}
BYTES: Final[Schema] = {"type": "integer", "description": "Net bytes added; 0 where a length is unknown."}


ITEMS: Final[dict[Kind, Schema]] = {
    "top": {
        "rank": RANK,
        "rank_before": {
            "type": ["integer", "null"],
            "minimum": 1,
            "description": "The rank one minute before as_of, null if the title had no change then.",
        },
        "title": TEXT,
        "wiki": TEXT_OR_NULL,
        "url": TEXT_OR_NULL,
        "history_url": TEXT_OR_NULL,
        "diff_url": {**TEXT_OR_NULL, "description": "The newest revision's difference from the one before."},
        "changes": RANK,
        "editors": COUNT,
        "bytes": BYTES,
        "last_change": TIME,
        "per_minute": {
            "type": "array",
            "items": COUNT,
            "minItems": 1,
            "description": "Changes in each bucket of bucket_seconds, oldest first: their sum is changes.",
        },
    },
    "timeline": {"from": TIME, "to": TIME, "changes": COUNT, "editors": COUNT, "bytes": BYTES},
    "changes": {
        "id": TEXT,
        "time": TIME,
        "type": TEXT_OR_NULL,
        "title": TEXT,
        "wiki": TEXT_OR_NULL,
        "namespace": {"type": ["integer", "null"]},
        "url": TEXT_OR_NULL,
        "user": TEXT_OR_NULL,
        "bot": {"type": "boolean"},
        "minor": {"type": "boolean"},
        "comment": TEXT_OR_NULL,
        "bytes": BYTES,
        "revision": {"type": ["integer", "null"]},
        "diff_url": TEXT_OR_NULL,
    },
    "editors": {
        "rank": RANK,
        "user": TEXT,
        "bot": {"type": "boolean"},
        "changes": RANK,
        "titles": RANK,
        "bytes": BYTES,
        "last_change": TIME,
    },
}
