"""What the templates show, made from the answers: a template decides only how it looks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal, cast

from wiki_web.data.bursts import longest_unusual_window, longest_window
from wiki_web.data.documents import (
    Change,
    ChangesDocument,
    Document,
    EditorsDocument,
    RankedTitle,
    TimelineDocument,
    TopDocument,
    UnusualDocument,
    UnusualTitle,
)
from wiki_web.data.newest_changes import NEWEST
from wiki_web.data.past.kept import Kept
from wiki_web.data.past.moment import field_text
from wiki_web.data.queries import Query
from wiki_web.data.reasons import FIRST, Reasons, page_of
from wiki_web.data.rows import MICROSECOND, microseconds
from wiki_web.data.titles import MAX_TITLE
from wiki_web.http.parameters import is_name, is_wiki
from wiki_web.page.charts import AreaChart, area_chart
from wiki_web.page.filter_form import (
    Field,
    address,
    counted,
    filter_fields,
    in_other_order,
    window_name,
    without_filters,
)
from wiki_web.page.formats import minute, span
from wiki_web.page.freshness import Status
from wiki_web.page.kept_days import KeptDays, kept_days
from wiki_web.page.subject import FEED_LENGTH, Subject
from wiki_web.page.title_marks import Mark, title_marks
from wiki_web.page.unusual_words import usual_words
from wiki_web.settings import Settings

Panel = Literal["starting", "empty", "unmatched", "rows"]

_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True)
class PageModel:
    """One page, from the documents of its subject's queries."""

    subject: Subject
    default: Query
    status: Status
    main: TopDocument | EditorsDocument
    timeline: TimelineDocument
    changes: ChangesDocument
    fields: list[Field]
    kept: Kept
    longest: timedelta
    known_reasons: Reasons

    @property
    def panel(self) -> Panel:
        """What takes the place of the rows while there are none."""
        if self.status.state in ("starting", "empty"):
            return "starting" if self.status.state == "starting" else "empty"
        return "rows" if self.changes.changes else "unmatched"

    @property
    def as_of(self) -> datetime | None:
        """Up to when changes are counted."""
        return self.main.as_of

    @property
    def past(self) -> bool:
        """Whether this is a moment in the past, which stays as it is."""
        return self.status.state == "past"

    @property
    def moment(self) -> str:
        """The moment as a form's field has it; empty for now."""
        to_us = self.subject.selection.to_us
        return "" if to_us is None else field_text(to_us)

    @property
    def first_moment(self) -> str | None:
        """The first one that the field may have: after the start of what is kept. None without any hour."""
        first_us = self.kept.first_us
        return None if first_us is None else field_text(first_us + _SECOND // MICROSECOND)

    @property
    def unusual(self) -> bool:
        """Whether it lists what is unusual instead of what is most changed."""
        return self.subject.selection.kind == "unusual"

    @property
    def other_order_url(self) -> str:
        """Of the list in the other order."""
        return self._url(in_other_order(self.subject.selection, self.default))

    @property
    def baseline_missing(self) -> bool:
        """Whether nothing tells what is usual, where that is asked."""
        return isinstance(self.main, UnusualDocument) and self.main.baseline is None

    def usual_words(self, row: UnusualTitle) -> str | None:
        """How unusual a title is; None where that isn't asked, or not known."""
        baseline = self.main.baseline if isinstance(self.main, UnusualDocument) else None
        return None if baseline is None else usual_words(row, baseline)

    @property
    def kept_days(self) -> KeptDays | None:
        """Where to go in the past."""

        def whole_day(until: datetime) -> str:
            selection = replace(self.subject.selection, to_us=microseconds(until))
            return self._url(replace(selection, window=min(_DAY, self.longest)))

        return kept_days(self.kept, self.as_of if self.past else None, whole_day)

    @property
    def coverage(self) -> list[str]:
        """Which part of the window the totals are of, in words; nothing if they are of all of it."""
        since, words = self.main.counting_since, []
        if since is not None:
            words.append(f"counting since {minute(since)}")
        gaps = [gap for gap in self.main.gaps if gap.end != since]
        if len(gaps) == 1:
            words.append(f"not known: {minute(gaps[0].start)} to {minute(gaps[0].end)}")
        elif gaps:
            lost = sum((gap.end - gap.start).total_seconds() for gap in gaps)
            words.append(f"not known: {span(lost)} in {len(gaps)} gaps")
        return words

    @property
    def chart(self) -> AreaChart | None:
        return area_chart(self.timeline, self.per)

    @property
    def per(self) -> str:
        """The length of the timeline's buckets."""
        minutes = self.timeline.bucket_seconds // 60
        return "minute" if minutes == 1 else f"{minutes} minutes"

    @property
    def counted(self) -> str:
        return counted(self.subject.selection)

    @property
    def window(self) -> str:
        name = window_name(self.subject.selection.window)
        return f"{name} until {minute(self.as_of)}" if self.past and self.as_of else f"last {name}"

    @property
    def several_wikis(self) -> bool:
        return len(self.main.wikis) > 1

    @property
    def busiest(self) -> int:
        """The changes of the first title or editor: the bars' common scale."""
        rows = self.main.titles if isinstance(self.main, TopDocument) else self.main.editors
        return max([1, *(row.changes for row in rows)])

    @property
    def highest(self) -> int:
        """The sparklines' common scale; at least 4, so that a single change is never a full column."""
        titles = self.main.titles if isinstance(self.main, TopDocument) else []
        return max([4, *(changes or 0 for row in titles for changes in row.per_minute)])

    @property
    def feed(self) -> Sequence[Change]:
        """The newest changes, without those that are here as reasons alone."""
        return self.changes.changes[:FEED_LENGTH]

    def marks(self, row: RankedTitle) -> list[Mark]:
        """What is notable of a title."""
        return list(title_marks(row, self.subject.selection))

    def reasons(self, row: RankedTitle, place: int) -> Sequence[Change] | None:
        """The newest changes of one of the first titles, which are open; None where they are asked for."""
        if place > FIRST:
            return None
        return self.known_reasons.get(page_of(row), ())

    def reasons_url(self, row: RankedTitle) -> str | None:
        """Where to ask for them. None for a name that can't be asked for."""
        if not is_name(row.title) or not row.wiki or not is_wiki(row.wiki):
            return None
        asked = replace(self.subject.selection, kind="changes", wikis=(row.wiki,), limit=NEWEST)
        return address("api/v1/changes", asked, self.default, title=row.title)

    def wiki_url(self, wiki: str | None) -> str | None:
        """The address of what the page shows, of one wiki alone. None where the name is no wiki's."""
        if not wiki or not is_wiki(wiki):
            return None
        return address("./", replace(self.subject.selection, wikis=(wiki,)), self.default)

    def title_url(self, title: str, wiki: str | None) -> str | None:
        """The address of a title's page: on its wiki, where several are shown. None where there is none."""
        if not 0 < len(title) <= MAX_TITLE or (self.several_wikis and wiki and not is_wiki(wiki)):
            return None
        on = (wiki or "") if self.several_wikis else ""
        return address("page", self.subject.selection, self.default, title=title, on=on)

    def user_url(self, user: str) -> str | None:
        """The address of the top of what this user changed. None for a name that can't be asked for."""
        if not is_name(user):
            return None
        # What is unusual has two editors at least.
        return address("./", replace(self.subject.selection, kind="top", user=user), self.default)

    def top_url(self) -> str:
        return address("./", self.subject.selection, self.default)

    def own_url(self) -> str:
        """This page's own address."""
        return self._url(self.subject.selection)

    def still_url(self) -> str | None:
        """Of the same page at this moment, which stays as it is; None for one that does so already."""
        if self.past or self.as_of is None:
            return None
        return self._url(replace(self.subject.selection, to_us=microseconds(self.as_of)))

    def live_url(self) -> str:
        """Of the same page, live."""
        return self._url(replace(self.subject.selection, to_us=None))

    def _url(self, selection: Query) -> str:
        if self.subject.title is None:
            return address("./", selection, self.default)
        return address("page", selection, self.default, title=self.subject.title, on=self.subject.on or "")

    @property
    def filtered(self) -> bool:
        """Whether there are filters that could be taken away."""
        unfiltered = without_filters(self.subject.selection, self.default)
        return self.subject.title is not None or self.subject.selection != unfiltered

    def unfiltered_url(self) -> str:
        return address("./", without_filters(self.subject.selection, self.default), self.default)

    def feed_url(self) -> str:
        """The address of the feed that counts what the page does, in a window that it can have."""
        longest, selection = longest_window(self.longest), self.subject.selection
        usual = replace(self.default, window=min(self.default.window, longest))
        kind = usual.kind
        if self._longest_unusual is not None:
            longest, kind = self._longest_unusual, "unusual"
        window = min(selection.window, longest)
        asked = replace(selection, kind=kind, window=window, limit=usual.limit, to_us=None)
        return address("feed.atom", asked, usual)

    @property
    def feeds_unusual(self) -> bool:
        """Whether the feed is of what becomes unusual, which nothing does by one user."""
        return self._longest_unusual is not None

    @property
    def _longest_unusual(self) -> timedelta | None:
        asked = self.unusual and self.subject.selection.user is None
        return longest_unusual_window(self.longest) if asked else None

    def list_url(self, list_format: str) -> str:
        """The address of what the page lists, as `csv` or `json`: the titles, or a title's changes."""
        query = self.subject.queries[2 if self.subject.title else 0]
        title = self.subject.title or ""
        given = "" if list_format == "json" else list_format
        route = "top" if query.kind == "unusual" else query.kind
        return address(f"api/v1/{route}", query, self.default, title=title, format=given)


def page_model(
    settings: Settings,
    default: Query,
    subject: Subject,
    status: Status,
    documents: Sequence[Document],
    wikis: Iterable[str],
    kept: Kept,
    reasons: Reasons,
) -> PageModel:
    """`documents` are the answers to the subject's queries, in their order; `wikis` can be chosen.

    `reasons` are what is known of the first titles' newest changes.
    """
    kinds = tuple[TopDocument | EditorsDocument, TimelineDocument, ChangesDocument]
    main, timeline, changes = cast(kinds, tuple(documents))
    fields = filter_fields(subject.selection, default, settings.web_max_window, wikis)
    if subject.title:  # has one namespace: there is nothing to choose, but what was chosen stays in the form
        fields = [field for field in fields if field.name != "namespace" or field.chosen]
    longest = settings.web_max_window
    return PageModel(
        subject, default, status, main, timeline, changes, fields, kept, longest, known_reasons=reasons
    )
