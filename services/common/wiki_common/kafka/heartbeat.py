"""How the consumer recognizes the heartbeats that the producer writes to the topic."""

from typing import Final

CANARY_DOMAIN: Final = "canary"
"""`meta.domain`, as of the events that upstream tells its readers to discard: no change can have it."""

COVERED_FROM_HEADER: Final = "covered-from"
"""Of one with which coverage begins anew: from when on, RFC 3339."""
