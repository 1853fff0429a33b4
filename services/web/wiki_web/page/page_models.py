"""What the templates show, made from the answers: no template computes more than how it looks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from wiki_web.data.answers import State
from wiki_web.data.queries import Kind, Query
from wiki_web.data.store import Progress
from wiki_web.page.charts import AreaChart, area_chart
from wiki_web.page.filter_form import Field, address, counted, filter_fields, window_name, without_filters
from wiki_web.settings import Settings

Document = dict[str, Any]
Panel = Literal["starting", "empty", "unmatched", "rows"]

_FEED_LENGTH: Final = 40
_TITLE_CHANGES: Final = 200


@dataclass(frozen=True)
class Status:
    """How fresh the page is. Times are RFC 3339; `failing` while new commits can't be taken in."""

    state: State
    committed_at: str | None
    rendered_at: str
    failing: bool
    progress: Progress
    refresh_seconds: int


@dataclass(frozen=True)
class Subject:
    """What a page is about: the filters, and for a title's page the title, `on` one wiki or on all."""

    filters: Query
    title: str | None = None
    on: str | None = None

    @property
    def queries(self) -> tuple[Query, Query, Query]:
        """The page's questions: its main list, the timeline, the newest changes."""
        wikis = (self.on,) if self.on else self.filters.wikis
        asked = replace(self.filters, title=self.title, wikis=wikis)
        main: Kind = "editors" if self.title else "top"
        length = _TITLE_CHANGES if self.title else _FEED_LENGTH
        return (
            replace(asked, kind=main),
            replace(asked, kind="timeline"),
            replace(asked, kind="changes", limit=length),
        )


@dataclass(frozen=True)
class View:
    """One page, from the documents of its subject's queries."""

    subject: Subject
    default: Query
    status: Status
    main: Document
    timeline: Document
    changes: Document
    fields: list[Field]

    @property
    def panel(self) -> Panel:
        """What takes the place of the rows while there are none."""
        if self.status.state in ("starting", "empty"):
            return "starting" if self.status.state == "starting" else "empty"
        return "rows" if self.changes["changes"] else "unmatched"

    @property
    def as_of(self) -> str | None:
        """The newest event_time counted."""
        moment: str | None = self.main["as_of"]
        return moment

    @property
    def chart(self) -> AreaChart | None:
        return area_chart(self.timeline["minutes"], self.per)

    @property
    def per(self) -> str:
        """The length of the timeline's buckets."""
        minutes = self.timeline["bucket_seconds"] // 60
        return "minute" if minutes == 1 else f"{minutes} minutes"

    @property
    def counted(self) -> str:
        return counted(self.subject.filters)

    @property
    def window(self) -> str:
        return window_name(self.subject.filters.window)

    @property
    def several_wikis(self) -> bool:
        return len(self.main["wikis"]) > 1

    @property
    def busiest(self) -> int:
        """The changes of the first title or editor: the bars' common scale."""
        rows = self.main["editors" if self.subject.title else "titles"]
        changes: list[int] = [row["changes"] for row in rows]
        return max([1, *changes])

    @property
    def highest(self) -> int:
        """The sparklines' common scale, of which a single change is at most a quarter."""
        peaks: list[int] = [max(row["per_minute"]) for row in self.main["titles"]]
        return max([4, *peaks])

    def why(self, title: str, wiki: str | None) -> str:
        """The address of a title's page, of the wiki's where several are shown."""
        on = (wiki or "") if self.several_wikis else ""
        return address("/page", self.subject.filters, self.default, title=title, on=on)

    def home(self) -> str:
        return address("/", self.subject.filters, self.default)

    def here(self) -> str:
        """This page's own address."""
        if self.subject.title is None:
            return self.home()
        title, on = self.subject.title, self.subject.on or ""
        return address("/page", self.subject.filters, self.default, title=title, on=on)

    def unfiltered(self) -> str:
        return address("/", without_filters(self.subject.filters, self.default), self.default)

    def data(self, form: str) -> str:
        """The address of what the page lists, as `form`: the titles, or a title's changes."""
        query = self.subject.queries[2 if self.subject.title else 0]
        title = self.subject.title or ""
        form = form if form != "json" else ""
        return address(f"/api/v1/{query.kind}", query, self.default, title=title, format=form)


def page_model(
    settings: Settings,
    default: Query,
    subject: Subject,
    status: Status,
    documents: Sequence[Document],
) -> View:
    main, timeline, changes = documents
    wikis = list(main["wikis"])
    fields = filter_fields(subject.filters, default, settings.web_max_window, wikis)
    if subject.title:  # it has one namespace: the filter only shows, and keeps, the one that was chosen
        fields = [field for field in fields if field.name != "namespace" or field.chosen]
    return View(subject, default, status, main, timeline, changes, fields)
