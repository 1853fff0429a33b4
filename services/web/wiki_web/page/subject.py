"""What a page is about, as the queries that it asks."""

from dataclasses import dataclass, replace
from typing import Final

from wiki_web.data.queries import Kind, Query

FEED_LENGTH: Final = 40
_TITLE_CHANGES: Final = 200


@dataclass(frozen=True)
class Subject:
    """What was selected, and for a title's page the title, `on` one wiki or on all."""

    selection: Query
    title: str | None = None
    on: str | None = None

    @property
    def queries(self) -> tuple[Query, Query, Query]:
        """What the page asks for: its main list, the timeline, the newest changes."""
        wikis = (self.on,) if self.on else self.selection.wikis
        asked = replace(self.selection, title=self.title, wikis=wikis)
        main: Kind = "editors" if self.title else self.selection.kind
        length = _TITLE_CHANGES if self.title else FEED_LENGTH
        return (
            replace(asked, kind=main),
            replace(asked, kind="timeline"),
            replace(asked, kind="changes", limit=length),
        )
