"""What a stream says, as text/event-stream: that there is a newer answer, and which."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from wiki_web.data.answer_cache import AnswerCache
from wiki_web.data.documents import State

KEEP_ALIVE: Final = b":\n\n"
"""A comment: whoever reads the bytes hears that the stream lives, and so does every proxy on the way."""


class Newest(BaseModel):
    """The newest answer to the default query."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    etag: Annotated[str, Field(description="The ETag of /api/v1/top without parameters.")]
    as_of: datetime | None
    state: State


@dataclass(frozen=True)
class Event:
    """An event as it is sent. Equal ids mean that there is nothing new to ask for, in any process."""

    id: str
    block: bytes


def newest_event(answers: AnswerCache, failing: bool) -> Event | None:
    """What there is to tell now; None while answers are being computed.

    `failing`, that refreshes fail, is on the page but not in the answer.
    """
    cached = answers.at_hand()
    if cached is None:
        return None
    state = answers.state_of(cached.position)
    newest = Newest(etag=cached.as_json(state).etag, as_of=cached.answer.as_of, state=state)
    event_id = f"{newest.etag}-failing" if failing else newest.etag
    return Event(event_id, f"id: {event_id}\ndata: {newest.model_dump_json()}\n\n".encode())


def retry(seconds: float) -> bytes:
    """How long a client waits before it connects again."""
    return f"retry: {round(seconds * 1000)}\n\n".encode()
