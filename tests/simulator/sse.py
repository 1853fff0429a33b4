"""Read a stream of server-sent events as bytes, so that nothing a client would repair goes unseen."""

import json
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession, ClientTimeout

USER_AGENT = "simulator-tests/1.0 (https://example.org/contact)"


@dataclass(frozen=True)
class Received:
    """One event as it came."""

    name: str
    id: str
    data: str

    @property
    def index(self) -> int:
        offset: int = json.loads(self.data)["meta"]["offset"]
        return offset

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.data)
        return content


@dataclass(frozen=True)
class Reading:
    """What one connection gave: whole events, and what was left after the last of them."""

    events: list[Received]
    rest: bytes


async def read(url: str, *, count: int = 0, since: int | str = "", last_event_id: str = "") -> Reading:
    """Read until `count` events have come (0: all) or the response ends; raises what aiohttp raises."""
    headers = {"User-Agent": USER_AGENT} | ({"Last-Event-ID": last_event_id} if last_event_id else {})
    params = {"since": str(since)} if since != "" else {}
    text = b""
    timeout = ClientTimeout(total=60)
    async with (
        ClientSession(timeout=timeout) as session,
        session.get(url, headers=headers, params=params) as response,
    ):
        response.raise_for_status()
        async for chunk in response.content.iter_any():
            text += chunk
            if count and text.count(b"\n\n") > count:
                break
    *blocks, rest = text.split(b"\n\n")
    assert blocks[0] == b":ok"
    events = [_received(block.decode()) for block in blocks[1:]]
    return Reading(events[:count] if count else events, rest)


def _received(block: str) -> Received:
    fields = dict(line.split(": ", 1) for line in block.split("\n"))
    assert list(fields) == ["event", "id", "data"]
    return Received(fields["event"], fields["id"], fields["data"])
