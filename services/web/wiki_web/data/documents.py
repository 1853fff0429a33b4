"""The API's answers: these models build the JSON and CSV, and the OpenAPI document is generated from them."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from wiki_web.data.queries import MAX_BUCKETS, MAX_LIMIT, Kind

State = Literal["starting", "empty", "live", "stale", "past"]
"""Live while `as_of` moves on, else stale; starting before the first load, empty while there is no time.

Past where a moment was asked for."""

Count = Annotated[int, Field(ge=0)]
Rank = Annotated[int, Field(ge=1)]
KnownCount = Annotated[Count | None, Field(description="null where nobody watched and nothing was counted.")]
Share = Annotated[
    float | None,
    Field(ge=0, le=1, description="Of the changes whose editor is known; null where none is."),
]
NetBytes = Annotated[int, Field(description="Net bytes added; 0 where a length is unknown.")]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, serialize_by_alias=True)


class RankedTitle(_Model):
    rank: Rank
    rank_before: Annotated[
        Rank | None,
        Field(description="The rank one minute before as_of, null if the title had no change then."),
    ]
    title: str
    wiki: str | None
    url: str | None
    history_url: str | None
    diff_url: Annotated[
        str | None, Field(description="The newest revision's difference from the one before.")
    ]
    changes: Rank
    editors: Count
    bytes: NetBytes
    last_change: datetime
    per_minute: Annotated[
        list[Count | None],
        Field(
            min_length=1,
            description="Changes in each bucket of bucket_seconds, oldest first: their sum is changes. "
            "null where nobody watched and nothing was counted.",
        ),
    ]
    created: Annotated[bool, Field(description="Whether a change that is counted made the page.")]
    reverts: Annotated[
        Count,
        Field(
            description="Changes after which the page has exactly the size that it had before some others of "
            "the window, one of these at least by another editor: a sign of reverts, no proof."
        ),
    ]
    top_editor_share: Share
    anonymous_share: Share


class UnusualTitle(RankedTitle):
    counted: Annotated[
        Count, Field(description="Of the changes: without those of one editor beyond three in an hour.")
    ]
    usual: Annotated[
        float | None, Field(description="How many of these are expected in the window; null if not known.")
    ]
    surprise: Annotated[
        float | None,
        Field(
            description="The logarithm of how much likelier they are at their own rate, null if not known."
        ),
    ]
    before: Annotated[
        Count | None,
        Field(description="The week's counted changes, without the window's; null if too few are known of."),
    ]


class Bucket(_Model):
    start: Annotated[datetime, Field(alias="from")]
    end: Annotated[datetime, Field(alias="to")]
    changes: KnownCount
    editors: KnownCount
    bytes: NetBytes | None


class Change(_Model):
    id: str
    time: datetime
    type: str | None
    title: str
    wiki: str | None
    namespace: int | None
    url: str | None
    user: str | None
    bot: bool
    minor: bool
    comment: str | None
    bytes: NetBytes
    revision: int | None
    diff_url: str | None


class Editor(_Model):
    rank: Rank
    user: str
    bot: bool
    changes: Rank
    titles: Rank
    bytes: NetBytes
    last_change: datetime


class Loading(_Model):
    """Files read, and of how many, while starting."""

    done: Count
    of: Count


class Window(_Model):
    start: Annotated[datetime | None, Field(alias="from")]
    end: Annotated[datetime | None, Field(alias="to")]


class Gap(_Model):
    """Nobody watched after `from`, up to and with `to`."""

    start: Annotated[datetime, Field(alias="from")]
    end: Annotated[datetime, Field(alias="to")]


class Filters(_Model):
    """What was counted; null means all."""

    types: tuple[str, ...] | None
    bots: str
    namespace: tuple[int, ...] | None
    wiki: tuple[str, ...] | None
    title: str | None
    editors: str
    user: str | None


class Totals(_Model):
    """Over the whole window, beyond the list's limit."""

    changes: Count
    titles: Count
    editors: Count


class Document(_Model):
    """What the answers of all kinds have in common."""

    as_of: Annotated[datetime | None, Field(description="Everything up to this time is counted.")]
    state: State
    loading: Loading | None
    window: Window
    gaps: Annotated[
        list[Gap], Field(description="The times in the window that nobody watched, oldest first.")
    ]
    counting_since: Annotated[
        datetime | None,
        Field(description="When watching began, if that lies in the window: nothing is known before."),
    ]
    filters: Filters
    totals: Totals
    wikis: Annotated[tuple[str, ...], Field(description="The wikis of what was counted, sorted.")]


BucketSeconds = Annotated[
    int,
    Field(
        ge=60,
        description="60 up to a window of one hour; longer windows have at most 60 longer buckets.",
    ),
]


class TopDocument(Document):
    bucket_seconds: BucketSeconds
    titles: Annotated[list[RankedTitle], Field(max_length=MAX_LIMIT)]


class BaselineTime(_Model):
    """What is usual was counted from `from` on, before `to`, and `watched_seconds` of that were watched."""

    start: Annotated[datetime, Field(alias="from")]
    end: Annotated[datetime, Field(alias="to")]
    watched_seconds: float


class UnusualDocument(TopDocument):
    baseline: Annotated[BaselineTime | None, Field(description="null while nothing tells what is usual.")]
    titles: Annotated[list[UnusualTitle], Field(max_length=MAX_LIMIT)]  # type: ignore[assignment]  # never changed


class TimelineDocument(Document):
    bucket_seconds: BucketSeconds
    minutes: Annotated[list[Bucket], Field(max_length=MAX_BUCKETS)]


class ChangesDocument(Document):
    changes: Annotated[list[Change], Field(max_length=MAX_LIMIT)]


class EditorsDocument(Document):
    editors: Annotated[list[Editor], Field(max_length=MAX_LIMIT)]


Item = RankedTitle | Bucket | Change | Editor
ITEMS: Final[dict[Kind, type[Item]]] = {
    "top": RankedTitle,
    "timeline": Bucket,
    "changes": Change,
    "editors": Editor,
    "unusual": UnusualTitle,
}
LIST_NAMES: Final[dict[Kind, str]] = {
    "top": "titles",
    "timeline": "minutes",
    "changes": "changes",
    "editors": "editors",
    "unusual": "titles",
}
DOCUMENTS: Final[dict[Kind, type[Document]]] = {
    "top": TopDocument,
    "timeline": TimelineDocument,
    "changes": ChangesDocument,
    "editors": EditorsDocument,
    "unusual": UnusualDocument,
}


class Problem(BaseModel):
    """An error as RFC 9457 describes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["about:blank"] = "about:blank"
    title: str
    status: int
    detail: str
    parameter: Annotated[str | None, Field(description="The parameter at fault.")] = None
