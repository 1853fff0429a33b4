"""A change as it is published: the fields of upstream's recentchange event that are passed on.

Decoding into `Change` validates and projects in one step. An absent field and a null one both become None,
and are left out when encoded. `change.schema.json` beside this module describes the same to others.
Source of the fields: https://schema.wikimedia.org, mediawiki/recentchange/1.0.0.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from wiki_common.event_time import LAST_SECOND

Long = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Int = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
# The largest page is 2 MiB; sums of sizes over any number of changes stay far from 64 bits.
Size = Annotated[int, Meta(ge=0, le=2**31 - 1)]
UnixSeconds = Annotated[int, Meta(ge=0, le=LAST_SECOND)]
Text = Annotated[str, Meta(min_length=1)]


class EventMeta(msgspec.Struct, omit_defaults=True, gc=False):
    """`id` identifies an event; `dt` is when upstream received it, in the form of wiki_common.event_time."""

    id: Text
    domain: Text
    dt: str | None = None
    uri: str | None = None
    request_id: str | None = None
    stream: str | None = None
    topic: str | None = None
    partition: Long | None = None
    offset: Long | None = None


class Length(msgspec.Struct, omit_defaults=True, gc=False):
    """The page's size in bytes before and after; a new page has no `old`."""

    old: Size | None = None
    new: Size | None = None


class Revision(msgspec.Struct, omit_defaults=True, gc=False):
    """Revision ids before and after; a new page has no `old`."""

    old: Long | None = None
    new: Long | None = None


class Change(msgspec.Struct, omit_defaults=True, gc=False):
    """One recent change; `timestamp` is when it happened, in seconds since the epoch."""

    meta: EventMeta
    title: Text
    schema: str | None = msgspec.field(default=None, name="$schema")
    id: Long | None = None
    type: str | None = None
    namespace: Int | None = None
    title_url: str | None = None
    comment: str | None = None
    timestamp: UnixSeconds | None = None
    user: str | None = None
    bot: bool | None = None
    minor: bool | None = None
    patrolled: bool | None = None
    length: Length | None = None
    revision: Revision | None = None
    server_name: str | None = None
    wiki: str | None = None
    notify_url: str | None = None
    log_id: Long | None = None
    log_type: str | None = None
    log_action: str | None = None


class EnvelopeMeta(msgspec.Struct, gc=False):
    """The part of `meta` that says whether an event is wanted at all."""

    domain: Text


class Envelope(msgspec.Struct, gc=False):
    """What can be asked of an event that is no valid change."""

    meta: EnvelopeMeta
