"""Events as upstream sends them."""

import json
from typing import Any

EDIT: dict[str, Any] = {
    "$schema": "/mediawiki/recentchange/1.0.0",
    "meta": {
        "uri": "https://en.wikipedia.org/wiki/Ada_Lovelace",
        "request_id": "8b2bd1f4-8d3f-4a53-9d5d-8a2c1a9a3f10",
        "id": "6a3d3d43-7a5b-4a52-a5d7-1fa3b25ab1f0",
        "dt": "2026-11-23T23:00:01.123Z",
        "domain": "en.wikipedia.org",
        "stream": "mediawiki.recentchange",
        "topic": "eqiad.mediawiki.recentchange",
        "partition": 0,
        "offset": 5_000_000_000,
    },
    "id": 3_000_000_000,
    "type": "edit",
    "namespace": 0,
    "title": "Ada Lovelace",
    "title_url": "https://en.wikipedia.org/wiki/Ada_Lovelace",
    "comment": "typo",
    "timestamp": 1_795_474_801,
    "user": "Example",
    "bot": False,
    "notify_url": "https://en.wikipedia.org/w/index.php?diff=2&oldid=1",
    "minor": True,
    "patrolled": False,
    "length": {"old": 100, "new": 120},
    "revision": {"old": 1, "new": 2},
    "server_url": "https://en.wikipedia.org",
    "server_name": "en.wikipedia.org",
    "server_script_path": "/w",
    "wiki": "enwiki",
    "parsedcomment": "typo",
}
CANARY = {
    "$schema": "/mediawiki/recentchange/1.0.0",
    "meta": {
        "id": "c1",
        "dt": "2026-11-23T23:00:01Z",
        "domain": "canary",
        "stream": "mediawiki.recentchange",
    },
}


def edit(**fields: object) -> str:
    """The edit as JSON, with other `fields`; a field that is None is null."""
    return json.dumps({**EDIT, **fields})


def edit_without(*names: str, **fields: object) -> str:
    """The edit without the fields of these `names`, and with other `fields`."""
    return json.dumps({name: value for name, value in {**EDIT, **fields}.items() if name not in names})


def edit_of(domain: object) -> str:
    return edit(meta={**EDIT["meta"], "domain": domain})


def sse_id(timestamp: int) -> str:
    """The SSE id of upstream at `timestamp` (ms); the other data centre has sent nothing."""
    return json.dumps(
        [
            {"topic": "eqiad.mediawiki.recentchange", "partition": 0, "timestamp": timestamp},
            {"topic": "codfw.mediawiki.recentchange", "partition": 0, "offset": -1},
        ],
        separators=(",", ":"),
    )
