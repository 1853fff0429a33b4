"""Answers of past moments: computed on demand, one after another, and kept while they hold."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import pyarrow as pa

from wiki_common.store.place import Place
from wiki_web.data.answer_cache import AnswerCache, Busy, CachedAnswer
from wiki_web.data.answers import answer_of
from wiki_web.data.baseline import Baseline
from wiki_web.data.documents import State
from wiki_web.data.engines.engine import Engine, EngineError
from wiki_web.data.engines.stored import names_in, no_rows
from wiki_web.data.gaps import BEFORE_ALL, Span, joined
from wiki_web.data.long_queries import MOST_COUNTED, LongQueries
from wiki_web.data.past.kept import Kept, KeptHours
from wiki_web.data.past.moment import moment_text
from wiki_web.data.past.sources import Sources, rows_statement, sources_of
from wiki_web.data.past.turns import Turns
from wiki_web.data.queries import Query, Statement, matching_of, statement_of
from wiki_web.data.store import Position, Store

_MOST_ANSWERS: Final = 64
_MOST_ROWS: Final = 10_000
# What happened at a moment is told some seconds later, and some of it may be told half an hour later.
_GOOD_FOR: Final = 5.0  # seconds, of an answer that may still change
_ATTEMPTS: Final = 5


class OutOfReach(ValueError):
    """A moment of which nothing is kept, or not known yet; the message says which times are."""

    def __init__(self, moment_us: int, after_us: int, until_us: int) -> None:
        moment, after, until = map(moment_text, (moment_us, after_us, until_us))
        super().__init__(f"{moment!r} is not a time after {after}, up to {until}, which is what is known")


@dataclass(frozen=True)
class _Asked:
    """A query of a moment in the past, and what there is to answer it from."""

    query: Query
    to_us: int
    statement: Statement
    sources: Sources
    gaps: tuple[Span, ...]
    position: Position
    baseline: Baseline | None

    @property
    def version(self) -> str:
        """Of what is there for good; empty where a commit may still change the answer."""
        if not self.sources.immutable:
            return ""
        files = [(kept.hour.start.isoformat(), kept.version) for kept in self.sources.hours]
        return repr((files, self.gaps, self.baseline and self.baseline.covered))

    def holds(self, known: CachedAnswer, now: float) -> bool:
        """Whether an answer that was computed before is still right."""
        if self.version or known.position is None:
            return known.version == self.version
        same_load = known.position.generation == self.position.generation
        return same_load and now - known.computed_at < _GOOD_FOR


class PastAnswers:
    """For any thread. `clock` is monotonic. A query about more than `most_counted` changes is refused."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        data_dir: Place,
        live: AnswerCache,
        clock: Callable[[], float] = time.monotonic,
        most_counted: int = MOST_COUNTED,
    ) -> None:
        self._most_counted = most_counted
        self._long_queries = LongQueries(most_counted)
        self._store = store
        self._engine = engine
        self._hours = KeptHours(data_dir)
        self._live = live
        self._clock = clock
        self.turns: Turns[pa.Table] = Turns()
        self._guard = threading.Lock()
        self._answers: OrderedDict[Query, CachedAnswer] = OrderedDict()

    def kept(self) -> Kept:
        """The closed hours, at most a minute old; none while they can't be looked at."""
        try:
            return self._hours.seen()
        except OSError:
            return Kept(())

    def shown(self) -> CachedAnswer | None:
        """The answer that the live page begins with, None while there is none."""
        return self._live.shown()

    def get(self, query: Query) -> tuple[CachedAnswer, State]:
        """The answer as it was at the query's moment; at the newest commit if it names none.

        Raises OutOfReach, Busy, EngineError or TooManyChanges.
        """
        position = self._store.position
        if query.to_us is None:
            cached = self._live.get(query)
        elif position is None or position.as_of_us is None:
            cached = self._live.nothing(query, position)
        else:
            return self._past(query, query.to_us, position), "past"
        return cached, self._live.state_of(cached.position)

    def _past(self, query: Query, to_us: int, position: Position) -> CachedAnswer:
        for attempt in range(1, _ATTEMPTS + 1):
            asked = self._look(query, to_us, position)
            known = self._known(query)
            if known is not None and asked.holds(known, self._clock()):
                return known
            began = self._clock()
            try:
                found = self.turns.result((query, asked.sources), partial(self._compute, asked))
            except EngineError:
                # An hour may have been deleted or written anew since it was looked at.
                if attempt == _ATTEMPTS or self._look(query, to_us, position).sources == asked.sources:
                    raise
                continue
            if asked.sources.immutable or self._store.forgotten_us <= asked.sources.needed_us:
                return self._keep(asked, found, began)
        raise Busy("the stored changes are being arranged anew")

    def _look(self, query: Query, to_us: int, position: Position) -> _Asked:
        """What is there now. Raises OutOfReach or EngineError."""
        forgotten_us = self._store.forgotten_us
        try:
            kept = self._hours.look()
        except OSError as error:
            raise EngineError(f"the history can't be read: {error}") from error
        first_us = kept.first_us or forgotten_us
        until_us = position.as_of_us or 0
        if not first_us < to_us <= until_us:
            raise OutOfReach(to_us, first_us, until_us)
        statement = statement_of(query, to_us)
        gaps = joined([*kept.gaps(), *position.gaps, Span(BEFORE_ALL, first_us)], statement.after_us)
        inside = tuple(gap for gap in gaps if gap.start_us < to_us)
        sources = sources_of(statement.after_us, to_us, kept, forgotten_us)
        return _Asked(query, to_us, statement, sources, inside, position, self._live.baseline_for(query))

    def _compute(self, asked: _Asked) -> pa.Table:
        """Raises TooManyChanges, which are counted if there may be so many."""
        run, reads = self._prepared(asked)
        answer: Callable[[], pa.Table] = partial(run, asked.statement)
        if reads > self._most_counted:
            count = partial(run, matching_of(asked.query, asked.to_us))
            answer = self._long_queries.guarded(asked.query, count, answer)
        return answer()

    def _prepared(self, asked: _Asked) -> tuple[Callable[[Statement], pa.Table], int]:
        """What answers a statement from the sources, and how many rows it reads at most."""
        sources, after_us = asked.sources, asked.statement.after_us
        if not sources.hours and not sources.immutable:
            reads = self._engine.rows_held + self._engine.rows_in_files(after_us)
            return lambda statement: self._engine.prepare(statement)(), reads
        for kept in sources.hours:
            if kept.changes is None:
                raise EngineError(f"{kept.hour.path}: its footer can't be read")
        names = names_in(asked.statement)
        rows = no_rows(names)
        if sources.held_from_us is not None:
            held = rows_statement(names, sources.held_from_us, asked.to_us)
            rows = self._engine.prepare(held)().cast(rows.schema)
        hours = [kept.hour for kept in sources.hours]
        reads = rows.num_rows + sum(kept.changes or 0 for kept in sources.hours)
        return lambda statement: self._engine.compute(statement, hours, rows), reads

    def _known(self, query: Query) -> CachedAnswer | None:
        with self._guard:
            if query in self._answers:
                self._answers.move_to_end(query)
            return self._answers.get(query)

    def _keep(self, asked: _Asked, found: pa.Table, began: float) -> CachedAnswer:
        answer = answer_of(asked.query, asked.to_us, found, asked.gaps, baseline=asked.baseline)
        now = self._clock()
        position = None if asked.sources.immutable else asked.position
        cached = CachedAnswer(answer, position, now, now - began, asked.version)
        with self._guard:
            self._answers[asked.query] = cached
            self._answers.move_to_end(asked.query)
            while len(self._answers) > _MOST_ANSWERS or self._rows() > _MOST_ROWS:
                self._answers.popitem(last=False)
        return cached

    def _rows(self) -> int:
        return sum(len(cached.answer.items) for cached in self._answers.values())
