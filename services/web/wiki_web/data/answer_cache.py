"""One answer per (query, commit), computed once and shared by every viewer."""

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from typing import Any, Final

from wiki_web.data.answers import Answer, State, answer_of, empty_answer
from wiki_web.data.queries import Query
from wiki_web.data.store import NothingHeld, Position, Store

_STALE_AFTER: Final = 30.0  # seconds without a new commit
_ASKED_LATELY: Final = 30.0  # seconds: of the queries asked since then, some are kept fresh
_MOST_KEPT_FRESH: Final = 8  # beside the default query; others are computed when they are asked
# An answer that takes long, and much longer than the default one, holds that up: it is computed less often.
_EXPENSIVE: Final = 0.5  # seconds
_TIMES_DEFAULT: Final = 3.0  # times as long
_COOL_DOWN_PER_COST: Final = 10.0
_LONGEST_REST: Final = 15.0  # seconds
_OLDEST: Final = 30.0  # seconds: then who asks waits for a new one
_KEPT: Final = 128
_KEPT_ROWS: Final = 20_000  # some 50 MB with their renderings
_LONGEST_WAIT: Final = 15.0  # seconds that a request waits for an answer
_COMPUTED_AT_ONCE: Final = 8


class Busy(Exception):
    """Too many different queries at once, or one that takes too long: ask again."""


@dataclass(frozen=True)
class CachedAnswer:
    """An answer with its renderings, each made once per state."""

    answer: Answer
    position: Position | None
    computed_at: float  # monotonic seconds
    cost: float = 0.0  # seconds that it took
    _rendered: dict[tuple[str, State], bytes] = field(default_factory=dict)
    _etags: dict[tuple[str, State], str] = field(default_factory=dict)

    def rendered(self, form: str, state: State, render: Callable[[dict[str, Any]], str]) -> bytes:
        """`render(document)` for this form and state, kept; two threads may both make it."""
        key = form, state
        if key not in self._rendered:
            self._rendered[key] = render(self.answer.document(state)).encode()
        return self._rendered[key]

    def etag(self, form: str, state: State) -> str:
        """The same for the same commit, query, form and state (and while loading, files done) only."""
        key = form, state
        if key not in self._etags:
            commit = self.position and self.position.key
            identity = json.dumps([form, state, repr(self.answer.query), commit, self.answer.loading])
            self._etags[key] = hashlib.blake2b(identity.encode(), digest_size=12).hexdigest()
        return self._etags[key]


@dataclass
class _Entry:
    cached: CachedAnswer
    asked_at: float


class AnswerCache:
    """Bounded, least recently asked first out. `clock` is monotonic, `wall_clock` seconds since the epoch."""

    def __init__(
        self,
        store: Store,
        default: Query,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._clock = clock
        self._wall_clock = wall_clock
        self.default = default
        self._guard = threading.Lock()
        self._entries: OrderedDict[Query, _Entry] = OrderedDict()
        self._refreshed_to: Position | None = None
        self._computing: dict[Query, Future[CachedAnswer]] = {}

    def state_of(self, position: Position | None) -> State:
        """The state of an answer at `position`, so that an answer without a time is never live."""
        if position is None:
            return "starting"
        if position.as_of_us is None:
            return "empty"
        return "stale" if self._wall_clock() - position.committed_at > _STALE_AFTER else "live"

    def shown(self) -> CachedAnswer | None:
        """The default query's answer, None while there is none."""
        with self._guard:
            entry = self._entries.get(self.default)
        return entry.cached if entry else None

    def age(self) -> float | None:
        """Seconds since that answer was computed."""
        shown = self.shown()
        return self._clock() - shown.computed_at if shown else None

    def get(self, query: Query) -> CachedAnswer:
        """The answer at the newest commit, or while it is being computed, at that of the last `refresh`.

        One that takes long may be some seconds older. Raises Busy or EngineError.
        """
        position = self._store.position
        if position is None or position.as_of_us is None:
            return self._nothing(query, position)
        with self._guard:
            entry = self._entries.get(query)
            if entry is not None:
                entry.asked_at = self._clock()
                self._entries.move_to_end(query)
                as_fresh = entry.cached.position in (position, self._refreshed_to)
                if as_fresh or (self._is_expensive(query) and self._age(query) < _OLDEST):
                    return entry.cached
        return self._compute(query, wait=_LONGEST_WAIT)

    def refresh(self) -> None:
        """Compute what is asked for at the newest commit, the default query first; of what takes long, one.

        Raises EngineError.
        """
        position = self._store.position
        if position is None or position.as_of_us is None:
            return
        with self._guard:
            due = [query for query in self._asked_lately() if not self._is_at(query, position)]
            dear = [query for query in due if self._is_expensive(query)]
            rested = sorted((query for query in dear if self._has_cooled_down(query)), key=self._age)
        for query in [query for query in due if query not in dear] + rested[-1:]:
            self._compute(query, wait=None)
        self._refreshed_to = position

    def _asked_lately(self) -> list[Query]:
        now = self._clock()
        lately = [
            query
            for query, entry in reversed(self._entries.items())
            if query != self.default and now - entry.asked_at < _ASKED_LATELY
        ]
        return [self.default, *lately[:_MOST_KEPT_FRESH]]

    def _is_at(self, query: Query, position: Position) -> bool:
        entry = self._entries.get(query)
        return entry is not None and entry.cached.position == position

    def _is_expensive(self, query: Query) -> bool:
        entry, default = self._entries.get(query), self._entries.get(self.default)
        if entry is None or default is None:
            return False
        return entry.cached.cost > max(_EXPENSIVE, _TIMES_DEFAULT * default.cached.cost)

    def _has_cooled_down(self, query: Query) -> bool:
        """Whether a dear answer is due again."""
        cost = self._entries[query].cached.cost
        return self._age(query) >= min(_COOL_DOWN_PER_COST * cost, _LONGEST_REST)

    def _age(self, query: Query) -> float:
        return self._clock() - self._entries[query].cached.computed_at

    def _compute(self, query: Query, wait: float | None) -> CachedAnswer:
        with self._guard:
            if (position := self._store.position) is not None and self._is_at(query, position):
                return self._entries[query].cached
            running = self._computing.get(query)
            if running is None:
                if wait is not None and len(self._computing) >= _COMPUTED_AT_ONCE:
                    raise Busy(f"{_COMPUTED_AT_ONCE} other queries are being computed")
                mine = self._computing[query] = Future[CachedAnswer]()
        if running is not None:
            try:
                return running.result(wait)
            except FutureTimeoutError as error:
                raise Busy(f"not computed within {wait:g} s") from error
        try:
            mine.set_result(self._answer(query))
        except BaseException as error:
            mine.set_exception(error)
            raise
        finally:
            with self._guard:
                del self._computing[query]
        return mine.result()

    def _answer(self, query: Query) -> CachedAnswer:
        now = self._clock()
        try:
            position, as_of_us, run = self._store.prepare(query)
        except NothingHeld as error:
            return self._nothing(query, error.position)
        answer = answer_of(query, as_of_us, run())
        cached = CachedAnswer(answer, position, now, self._clock() - now)
        with self._guard:
            known = self._entries.get(query)
            self._entries[query] = _Entry(cached, known.asked_at if known else now)
            while len(self._entries) > _KEPT or self._rows_kept() > _KEPT_ROWS:
                self._entries.popitem(last=False)
        return cached

    def _rows_kept(self) -> int:
        return sum(len(entry.cached.answer.rows) for entry in self._entries.values())

    def _nothing(self, query: Query, position: Position | None) -> CachedAnswer:
        progress = self._store.progress
        loading = {"done": progress.done, "of": progress.of} if position is None else None
        return CachedAnswer(empty_answer(query, loading), position, self._clock())
