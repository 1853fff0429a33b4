"""One answer per (query, commit), computed once and shared by every viewer."""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from typing import Final

from wiki_web.data.answers import Answer, answer_of, empty_answer
from wiki_web.data.baseline import Baseline, Baselines
from wiki_web.data.documents import Document, Loading, State
from wiki_web.data.engines.engine import EngineDied, EngineError
from wiki_web.data.long_queries import TooManyChanges
from wiki_web.data.queries import Query
from wiki_web.data.store import NothingHeld, Position, Store

STALE_AFTER: Final = 30.0  # seconds for which the time up to which is counted stood still
_RECENT: Final = 30.0  # seconds: a refresh recomputes only queries that were asked for since
_RECOMPUTED: Final = 8  # of them at most, beside the default query; others are computed when asked for
_AT_ONCE: Final = 2  # of those: one alone doesn't use all cores
# An expensive query would hold up the default one. A refresh recomputes one of them at most, and each again
# only once it has cooled down.
_EXPENSIVE: Final = 0.5  # seconds
_EXPENSIVE_RATIO: Final = 3.0  # and at least so many times what the default query costs
_COOL_DOWN: Final = 2.5  # seconds
_COOL_DOWN_RATIO: Final = 2.0  # or so many times what it costs
_OLDEST: Final = 5.0  # seconds
_OLDEST_RATIO: Final = 4.0  # or so many times what it costs: then a request waits for a new answer
_MOST_ANSWERS: Final = 128
_MOST_ROWS: Final = 20_000  # some 50 MB with their renderings
_LONGEST_WAIT: Final = 15.0  # seconds that a request waits for an answer
_COMPUTED_AT_ONCE: Final = 8


class Busy(Exception):
    """Too many different queries at once, or one that takes too long: ask again."""


@dataclass(frozen=True)
class Rendering:
    """An answer as it is sent. Equal ETags mean equal bodies, whichever process made them."""

    body: bytes
    etag: str


@dataclass(frozen=True)
class CachedAnswer:
    """An answer with its renderings, each made once per state."""

    answer: Answer
    position: Position | None
    computed_at: float  # monotonic seconds
    cost: float = 0.0  # seconds that it took
    version: str = ""  # of the files that it was computed from, if it belongs to no commit
    _renderings: dict[tuple[str, State], Rendering] = field(default_factory=dict)

    def rendered(self, answer_format: str, state: State, render: Callable[[Document], str]) -> Rendering:
        """`render(document)` in UTF-8, kept for this format and state; two threads may both compute it."""
        key = answer_format, state
        if key not in self._renderings:
            body = render(self.answer.document(state)).encode()
            self._renderings[key] = Rendering(body, hashlib.blake2b(body, digest_size=12).hexdigest())
        return self._renderings[key]

    def as_json(self, state: State) -> Rendering:
        return self.rendered("json", state, Document.model_dump_json)


def _oldest(cached: CachedAnswer) -> float:
    """The age in seconds at which a request waits for a new answer."""
    return max(_OLDEST, _OLDEST_RATIO * cached.cost)


@dataclass
class _Entry:
    cached: CachedAnswer
    asked_at: float


class AnswerCache:
    """Bounded; the answer that was asked for longest ago goes first. `clock` is monotonic, as the store's.

    Without `baselines` nothing tells what is usual.
    """

    def __init__(
        self,
        store: Store,
        default: Query,
        clock: Callable[[], float] = time.monotonic,
        baselines: Baselines | None = None,
    ) -> None:
        self._store = store
        self._baselines = baselines
        self._clock = clock
        self.default = default
        self._guard = threading.Lock()
        self._entries: OrderedDict[Query, _Entry] = OrderedDict()
        self._refreshed_to: Position | None = None
        self._computing: dict[Query, Future[CachedAnswer]] = {}
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="answers")

    def __len__(self) -> int:
        """Answers kept."""
        with self._guard:
            return len(self._entries)

    @property
    def rows(self) -> int:
        """Rows in all the answers kept."""
        with self._guard:
            return self._rows()

    def state_of(self, position: Position | None) -> State:
        """The state of an answer at `position`: live only if the time up to which it counts moves on."""
        if position is None:
            return "starting"
        if position.as_of_us is None:
            return "empty"
        return "stale" if self.still_for(position) > STALE_AFTER else "live"

    def still_for(self, position: Position) -> float:
        """Seconds for which the time up to which is counted hasn't moved on."""
        return self._clock() - position.moved_at

    def shown(self) -> CachedAnswer | None:
        """The default query's answer, None while there is none."""
        with self._guard:
            entry = self._entries.get(self.default)
        return entry.cached if entry else None

    def at_hand(self) -> CachedAnswer | None:
        """The default query's answer once a refresh has brought all others to its commit, None until then."""
        position = self._store.position
        if position is None or position.as_of_us is None:
            return self.nothing(self.default, position)
        shown = self.shown()
        return shown if shown and shown.position == self._refreshed_to else None

    def age(self) -> float | None:
        """Seconds since that answer was computed."""
        shown = self.shown()
        return self._clock() - shown.computed_at if shown else None

    def get(self, query: Query) -> CachedAnswer:
        """The answer at the newest commit, or while it is being computed, at that of the last `refresh`.

        An expensive one may be five seconds old, or four times what it costs. Raises Busy, EngineError or
        TooManyChanges.
        """
        position = self._store.position
        if position is None or position.as_of_us is None:
            return self.nothing(query, position)
        with self._guard:
            entry = self._entries.get(query)
            if entry is not None:
                entry.asked_at = self._clock()
                self._entries.move_to_end(query)
                as_fresh = entry.cached.position in (position, self._refreshed_to)
                if as_fresh or (self._is_expensive(query) and self._age(query) < _oldest(entry.cached)):
                    return entry.cached
        return self._compute(query, wait=_LONGEST_WAIT)

    def refresh(self) -> None:
        """Recompute recent queries at the newest commit: the default one first, one expensive one at most.

        Raises EngineError, or TooManyChanges for the default one.
        """
        position = self._store.position
        if position is None or position.as_of_us is None:
            return
        with self._guard:
            due = [query for query in self._recent() if not self._is_at(query, position)]
            expensive = [query for query in due if self._is_expensive(query)]
            cool = sorted((query for query in expensive if self._has_cooled_down(query)), key=self._age)
        self._compute_all([query for query in due if query not in expensive])
        self._compute_all(cool[-1:])
        self._refreshed_to = position

    def _compute_all(self, queries: Sequence[Query]) -> None:
        """The first one alone, as others may be over the same rows: they take its totals."""
        for query in queries[:1]:
            self._recompute(query)
        list(self._pool.map(self._recompute, queries[1:]))

    def _recompute(self, query: Query) -> None:
        """A query other than the default one. If it fails, whoever asks for it next is told so."""
        try:
            self._compute(query, wait=None)
        except EngineDied:
            raise
        except (EngineError, TooManyChanges):
            if query == self.default:
                raise
            with self._guard:
                self._entries.pop(query, None)

    def _recent(self) -> list[Query]:
        now = self._clock()
        recent = [
            query
            for query, entry in reversed(self._entries.items())
            if query != self.default and now - entry.asked_at < _RECENT
        ]
        return [self.default, *recent[:_RECOMPUTED]]

    def _is_at(self, query: Query, position: Position) -> bool:
        entry = self._entries.get(query)
        return entry is not None and entry.cached.position == position

    def _is_expensive(self, query: Query) -> bool:
        entry, default = self._entries.get(query), self._entries.get(self.default)
        if entry is None or default is None:
            return False
        return entry.cached.cost > max(_EXPENSIVE, _EXPENSIVE_RATIO * default.cached.cost)

    def _has_cooled_down(self, query: Query) -> bool:
        cost = self._entries[query].cached.cost
        return self._age(query) >= max(_COOL_DOWN, _COOL_DOWN_RATIO * cost)

    def _age(self, query: Query) -> float:
        return self._clock() - self._entries[query].cached.computed_at

    def _compute(self, query: Query, wait: float | None) -> CachedAnswer:
        """The answer at the newest commit: computed here, or waited for while another thread computes it."""
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
        known = self._over_same_rows(query)
        try:
            position, as_of_us, run = self._store.prepare(query, totals_at=known.position if known else None)
        except NothingHeld as error:
            return self.nothing(query, error.position)
        sums = known.answer.sums if known and known.position == position else None
        answer = answer_of(query, as_of_us, run(), position.gaps, sums, self.baseline_for(query))
        cached = CachedAnswer(answer, position, now, self._clock() - now)
        with self._guard:
            before = self._entries.get(query)
            self._entries[query] = _Entry(cached, before.asked_at if before else now)
            while len(self._entries) > _MOST_ANSWERS or self._rows() > _MOST_ROWS:
                self._entries.popitem(last=False)
        return cached

    def baseline_for(self, query: Query) -> Baseline | None:
        """What a query's answer is compared with, if it is."""
        return self._baselines.newest() if self._baselines and query.kind == "unusual" else None

    def _over_same_rows(self, query: Query) -> CachedAnswer | None:
        """The answer to a query over the rows of this one at the newest commit, None if there is none."""
        position, scope = self._store.position, query.scope
        with self._guard:
            for known, entry in self._entries.items():
                if entry.cached.position == position and known.scope == scope:
                    return entry.cached
        return None

    def _rows(self) -> int:
        return sum(len(entry.cached.answer.items) for entry in self._entries.values())

    def nothing(self, query: Query, position: Position | None) -> CachedAnswer:
        """The answer while there is no load, or no time, yet: `position` has none."""
        progress = self._store.progress
        loading = Loading(done=progress.done, of=progress.of) if position is None else None
        return CachedAnswer(empty_answer(query, loading), position, self._clock())
