"""How far the stream has been read: what a new connection resumes from, and whether the last one helped."""

from dataclasses import dataclass


@dataclass
class Progress:
    """Written by the event loop's thread only.

    `events` counts the messages that were read; events of other types are none. `last_event_id` is the SSE id
    of the last message that was published, dropped or rejected ("": none yet), and `last_data` its text.
    """

    events: int = 0
    last_event_id: str = ""
    last_data: str = ""
