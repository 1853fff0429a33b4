"""How fresh a page is, and what it says of clocks that differ."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from wiki_web.data.documents import State
from wiki_web.data.loading import Progress
from wiki_web.page.formats import span

_SKEW_TOLD: Final = 5.0  # seconds
_LATE_TOLD: Final = 60.0  # seconds: a busy machine takes in what was committed some seconds later


@dataclass(frozen=True)
class Status:
    """`failing` while new commits can't be taken in."""

    state: State
    rendered_at: datetime
    ahead: float  # seconds by which what was committed was later than this machine's clock
    failing: bool
    progress: Progress
    refresh_seconds: int

    def at(self, moment: datetime | None) -> "Status":
        """As if the page had been rendered at a moment, while all was well."""
        return replace(self, rendered_at=moment or self.rendered_at, ahead=0.0, failing=False)

    @property
    def skew(self) -> str | None:
        """How far the clocks differ, and which way, if that is more than they do by chance."""
        if self.ahead > _SKEW_TOLD:
            return f"{span(self.ahead)} ahead of"
        return f"{span(-self.ahead)} behind" if self.ahead < -_LATE_TOLD else None
