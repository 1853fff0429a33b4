"""What becomes of an event: it is kept, dropped, or rejected. Pure: text in, a decision out."""

from collections.abc import Callable, Collection
from enum import StrEnum
from hashlib import blake2b
from typing import Final

import msgspec

from wiki_common.event_time import parse_event_time
from wiki_common.kafka.heartbeat import CANARY_DOMAIN
from wiki_producer.relay.change import Change, Envelope
from wiki_producer.settings import ALL_DOMAINS

# Kafka's default for max.message.bytes, a batch's limit; headers and framing need some of it.
DEFAULT_BATCH_BYTES: Final = 1_048_588
_BATCH_OVERHEAD: Final = 2_588


class Limits(msgspec.Struct, frozen=True):
    """How many bytes of key and value a record of each topic may have."""

    change: int
    rejected: int

    @classmethod
    def of_batches(cls, change: int = DEFAULT_BATCH_BYTES, rejected: int = DEFAULT_BATCH_BYTES) -> "Limits":
        """The limits of topics whose batches may have so many bytes."""
        return cls(max(0, change - _BATCH_OVERHEAD), max(0, rejected - _BATCH_OVERHEAD))


DEFAULT_LIMITS = Limits.of_batches()


class DropReason(StrEnum):
    CANARY = "canary"
    OTHER_WIKI = "other wiki"


class RejectReason(StrEnum):
    """The classes of rejections, as counted; the text of each rejection says more."""

    UNREADABLE = "unreadable"
    TOO_LARGE = "too large"


class Kept(msgspec.Struct, frozen=True, gc=False):
    """A change for the topic. `event_id` identifies it, `key` is its title in UTF-8, `dt` its `meta.dt`."""

    event_id: str
    key: bytes
    value: bytes
    dt: str | None


class Dropped(msgspec.Struct, frozen=True, gc=False):
    reason: DropReason


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """An event for the topic of rejected ones: its bytes as they came, cut to what a record can hold.

    `digest` is over all of its bytes; `detail` says what is wrong.
    """

    digest: str
    reason: RejectReason
    detail: str
    value: bytes


Decision = Kept | Dropped | Rejected
_change = msgspec.json.Decoder(Change)
_envelope = msgspec.json.Decoder(Envelope)
_encode = msgspec.json.Encoder().encode
# msgspec raises RecursionError for what is nested deeper than the interpreter's recursion limit.
_UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeError)


def decider(domains: Collection[str], limits: Limits = DEFAULT_LIMITS) -> Callable[[str], Decision]:
    """A function from an event's data to its decision, for the wikis in `domains` (`*`: all).

    It never raises. Domains are compared exactly. Canary events are dropped whatever the domains are.
    """
    wanted = frozenset(domains)
    all_wanted = ALL_DOMAINS in wanted

    def unwanted(domain: str) -> Dropped | None:
        if domain == CANARY_DOMAIN:
            return Dropped(DropReason.CANARY)
        if not all_wanted and domain not in wanted:
            return Dropped(DropReason.OTHER_WIKI)
        return None

    def decide(data: str) -> Decision:
        try:
            change = _change.decode(data)
        except _UNREADABLE as error:
            return unreadable(data, str(error) or type(error).__name__)
        return unwanted(change.meta.domain) or _keep(change, data, limits)

    def unreadable(data: str, detail: str) -> Decision:
        try:
            domain = _envelope.decode(data).meta.domain
        except _UNREADABLE as error:
            return _reject(data, RejectReason.UNREADABLE, str(error) or type(error).__name__, limits)
        return unwanted(domain) or _reject(data, RejectReason.UNREADABLE, detail, limits)

    return decide


def _keep(change: Change, data: str, limits: Limits) -> Decision:
    if change.timestamp is None and parse_event_time(change.meta.dt or "") is None:
        detail = "neither `timestamp` nor `meta.dt` says when it happened"
        return _reject(data, RejectReason.UNREADABLE, detail, limits)
    key = change.title.encode()
    value = _encode(change)
    size = len(key) + len(value)
    if size > limits.change:
        detail = f"{size} bytes after projection, over {limits.change}"
        return _reject(data, RejectReason.TOO_LARGE, detail, limits)
    return Kept(change.meta.id, key, value, change.meta.dt)


def _reject(data: str, reason: RejectReason, detail: str, limits: Limits) -> Rejected:
    """`data` as a rejection, cut to the limit of its topic; the detail says how much was cut."""
    value = data.encode("utf-8", "surrogatepass")
    digest = blake2b(value, digest_size=16).hexdigest()
    if len(value) > limits.rejected:
        detail = f"{detail}; value cut to {limits.rejected} of {len(value)} bytes"
        value = value[: limits.rejected]
    return Rejected(digest, reason, detail, value)
