"""Why titles are changed: the newest changes of the first ones, computed when those titles have changed.

The list never waits for them. They follow it, so what is shown of a title may be of the commit before. Those
of a past moment come with its newest changes, from what is read for these.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from itertools import accumulate
from typing import Final

from wiki_web.data.answers import Answer
from wiki_web.data.documents import Change, RankedTitle
from wiki_web.data.engines.engine import EngineError
from wiki_web.data.items import changes_of
from wiki_web.data.newest_changes import NEWEST
from wiki_web.data.queries import Query, newest_of
from wiki_web.data.rows import microseconds
from wiki_web.data.store import NothingHeld, Store

FIRST: Final = 3
"""Of so many titles they are computed."""
_FIRST_WAIT: Final = 5.0  # seconds, for the first time: without scripts nothing comes later
_MOST_KEPT: Final = 32
_MOST_WAITING: Final = 8  # filters: with more, those of the default page would wait behind all of them

Page = tuple[str | None, str]
"""Wiki and title."""
Reasons = Mapping[Page, Sequence[Change]]
_Known = dict[Page, tuple[RankedTitle, list[Change]]]  # as the title was when they were asked for


class FirstReasons:
    """For any thread; one of its own computes, a statement at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._guard = threading.Lock()
        self._known: OrderedDict[Query, _Known] = OrderedDict()
        self._computing: dict[Query, Future[None]] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="reasons")

    def stop(self) -> None:
        """End once what is being computed is done: nothing is asked of the engine any more."""
        self._pool.shutdown(cancel_futures=True)

    def of(self, answer: Answer) -> Reasons:
        """The newest changes of the first titles of a live top, as far as they are known.

        Who asks for the first time with these filters waits for them, later ones take what there is. While
        many wait, nobody asks for more.
        """
        scope, first = answer.query.scope, first_of(answer)
        with self._guard:
            known = self._known.get(scope)
            due = [title for title in first if not known or not _holds(known, title)]
            if due and scope not in self._computing and len(self._computing) < _MOST_WAITING:
                self._computing[scope] = self._pool.submit(self._compute, answer, first, due)
            running = self._computing.get(scope)
        if known is None and running is not None:
            with suppress(FutureTimeoutError, EngineError, NothingHeld):
                running.result(_FIRST_WAIT)
        with self._guard:
            known = self._known.get(scope, {})
            return {page: known[page][1] for page in map(page_of, first) if page in known}

    def _compute(self, answer: Answer, first: list[RankedTitle], due: list[RankedTitle]) -> None:
        """Raises EngineError or NothingHeld."""
        scope = answer.query.scope
        try:
            titles = [title.title for title in due]
            from_us = min(_newest_are_after(answer.query, title) for title in due)
            run = self._store.prepare_at_newest(lambda now: newest_of(answer.query, now, titles, from_us))
            found = changes_of(run())
            with self._guard:
                before = self._known.pop(scope, {})
                known = {page: before[page] for page in map(page_of, first) if page in before}
                for title in due:
                    page = page_of(title)
                    known[page] = title, [change for change in found if (change.wiki, change.title) == page]
                self._known[scope] = known
                while len(self._known) > _MOST_KEPT:
                    self._known.popitem(last=False)
        finally:
            with self._guard:
                del self._computing[scope]


def first_of(top: Answer) -> list[RankedTitle]:
    """The titles whose newest changes are computed."""
    return [title for title in top.items[:FIRST] if isinstance(title, RankedTitle)]


def reasons_in(changes: Answer, top: Answer) -> Reasons:
    """The newest changes of the first titles, where a list of changes has them."""
    found = [change for change in changes.items if isinstance(change, Change)]
    return {
        page: [change for change in found if (change.wiki, change.title) == page][:NEWEST]
        for page in map(page_of, first_of(top))
    }


def page_of(title: RankedTitle) -> Page:
    return title.wiki, title.title


def _holds(known: _Known, title: RankedTitle) -> bool:
    """Whether the title has not changed since: only what happens to it moves these three."""
    if page_of(title) not in known:
        return False
    then, _ = known[page_of(title)]
    return (then.changes, then.bytes, then.last_change) == (title.changes, title.bytes, title.last_change)


def _newest_are_after(query: Query, title: RankedTitle) -> int:
    """A time (µs) before the title's newest changes: no older rows have to be looked at for them."""
    counts = [changes or 0 for changes in reversed(title.per_minute)]
    newest = next(age for age, count in enumerate(counts) if count)
    enough = (age for age, count in enumerate(accumulate(counts)) if count >= NEWEST)
    buckets = next(enough, query.buckets) - newest + 1
    return microseconds(title.last_change) - buckets * query.bucket_us
