"""Bursts: titles that reached many changes within a window. Whoever asks, and whenever, finds the same ones.

A change is a peak if so many changes of its title, itself the last of them, lie in the window that ends with
it. A burst begins with a peak, goes on with each that is less than a window later than the last, and has all
changes of its peaks' windows. So it follows from the rows alone, and two of a title begin a window apart.
Of what is unusual there are bursts in the same way, with one more question: whether they are surprising.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, Final
from uuid import UUID, uuid5

import pyarrow as pa

from wiki_common.volume import HOUR
from wiki_web.data.answer_cache import Busy
from wiki_web.data.baseline import Baselines
from wiki_web.data.engines.engine import Engine
from wiki_web.data.links import web_url
from wiki_web.data.long_queries import MOST_COUNTED, LongQueries
from wiki_web.data.past.turns import Turns
from wiki_web.data.queries import MINUTE_US, Query, Statement, matching_of, selection_of
from wiki_web.data.rows import MICROSECOND, moment_of
from wiki_web.data.store import Store
from wiki_web.data.unusual_bursts import COUNTED, PARAMETERS, is_unusual

MOST_BURSTS: Final = 100
"""The newest ones are listed."""
# Of these, the newest ones that are unusual are found.
_MOST_CANDIDATES: Final = 1_000
_SETTLED_US: Final = 30_000_000
"""A change is told up to 20 s after it was made: only what came before can be counted once and for all."""
# Rows are held for a minute longer than the longest window, and the moment that is asked about is up to a
# minute and a half old, when its turn comes.
_SPARED: Final = timedelta(minutes=5)
_WINDOWS_BEFORE: Final = 2  # tell whether a peak begins a burst: the last one's, and that one's own
_WINDOWS_ASKED: Final = 4  # at least
SHORTEST_WINDOW: Final = timedelta(minutes=1)
# Readers ask as seldom: a beginning has to be listed for so long.
_LISTED: Final = timedelta(minutes=30)
# Of an hour that isn't there as a whole, other changes of an editor are the first.
_UNUSUAL_LEAD: Final = HOUR
_MOST_ANSWERS: Final = 32
_NAMES: Final = UUID("5f0c2b0e-7d0f-4c11-9a3e-6f1d6f2f8a57")


@dataclass(frozen=True)
class BurstQuery:
    """Bursts of `at_least` changes within the window of `counted`, which says what counts, too.

    Of its kind "unusual", those that are unusual.
    """

    counted: Query
    at_least: int

    @property
    def unusual(self) -> bool:
        return self.counted.kind == "unusual"

    @property
    def lead(self) -> timedelta:
        """After so much of the time that is looked at, what begins a burst is known."""
        return _WINDOWS_BEFORE * self.counted.window + (_UNUSUAL_LEAD if self.unusual else timedelta(0))

    def over(self, reach: timedelta) -> Query:
        """All changes that count, of the time `reach`."""
        return replace(self.counted, kind="changes", window=reach)

    def id_of(self, *parts: object) -> str:
        """A URN that these parts always have, and no other; the query's own if there are none.

        What is left at its default isn't a part, so that another filter changes no id.
        """
        asked = [(each.name, getattr(self.counted, each.name)) for each in fields(Query)]
        named = [(name, value) for name, value in asked if value != getattr(Query, name, None)]
        return uuid5(_NAMES, repr((self.at_least, named, *parts))).urn


@dataclass(frozen=True)
class Burst:
    """It begins at `start`, with the change that makes it one; `first` is the first one that is counted."""

    id: str
    wiki: str | None
    title: str
    start: datetime
    first: datetime
    last: datetime
    changes: int
    editors: int
    bytes: int
    url: str | None
    comment: str | None


@dataclass(frozen=True)
class BurstAnswer:
    """The bursts that there were at a moment, the newest first."""

    moment: datetime
    bursts: tuple[Burst, ...]


def longest_window(max_window: timedelta) -> timedelta:
    """That bursts can be asked for, where a window of `max_window` is held."""
    return max(SHORTEST_WINDOW, _whole_seconds(max_window / _WINDOWS_ASKED))


def longest_unusual_window(max_window: timedelta) -> timedelta | None:
    """That bursts of the unusual can be asked for; None where too little is held to tell any."""
    room = (max_window - _SPARED - _UNUSUAL_LEAD - _LISTED) / _WINDOWS_BEFORE
    return min(longest_window(max_window), _whole_seconds(room)) if room >= SHORTEST_WINDOW else None


def _whole_seconds(time: timedelta) -> timedelta:
    return time // timedelta(seconds=1) * timedelta(seconds=1)


def burst_statement(query: BurstQuery, to_us: int, reach: timedelta) -> Statement:
    """The bursts at a moment (µs) whose beginning is known from the changes of the time `reach` before it."""
    over = query.over(reach)
    selected, parameters = selection_of(over, to_us)
    window_us = query.counted.window_us
    parameters["at_least"] = query.at_least
    parameters["window_us"] = window_us
    parameters["known_us"] = to_us - over.window_us + query.lead // MICROSECOND
    parameters["row_limit"] = _MOST_CANDIDATES if query.unusual else MOST_BURSTS
    if query.unusual:
        parameters |= PARAMETERS
    sql = _STATEMENT.format(
        selected=selected,
        counted=COUNTED if query.unusual else _ALL,
        others=query.at_least - 1,
        before=window_us - 1,
    )
    return Statement(sql, parameters, to_us - over.window_us)


_ALL: Final = "counted AS (SELECT * FROM frequent)"
# An offset and a frame are literals. Titles with fewer changes are left out before anything is sorted.
_STATEMENT: Final = """
WITH {selected},
busy AS (
  SELECT wiki, title FROM selected GROUP BY wiki, title HAVING COUNT(*) >= :at_least
),
frequent AS (
  SELECT selected.* FROM selected JOIN busy ON selected.title = busy.title AND selected.wiki <=> busy.wiki
),
{counted},
placed AS (
  SELECT *,
    ROW_NUMBER() OVER (PARTITION BY wiki, title ORDER BY event_us, event_id) AS place,
    LAG(event_us, {others}) OVER (PARTITION BY wiki, title ORDER BY event_us, event_id) AS nth_us,
    COUNT(*) OVER (PARTITION BY wiki, title ORDER BY event_us
      RANGE BETWEEN {before} PRECEDING AND CURRENT ROW) AS inside
  FROM counted
),
peaks AS (
  SELECT *, CASE WHEN event_us - nth_us < :window_us THEN event_us END AS peak_us FROM placed
),
neighbours AS (
  SELECT *,
    MIN(peak_us) OVER (PARTITION BY wiki, title ORDER BY event_us, event_id
      ROWS BETWEEN CURRENT ROW AND {others} FOLLOWING) AS next_peak_us,
    MAX(peak_us) OVER (PARTITION BY wiki, title ORDER BY event_us, event_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS last_peak_us
  FROM peaks
),
started AS (
  SELECT *,
    MAX(CASE WHEN last_peak_us IS NULL OR next_peak_us - last_peak_us >= :window_us THEN next_peak_us END)
      OVER (PARTITION BY wiki, title ORDER BY event_us, event_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS start_us
  FROM neighbours WHERE next_peak_us IS NOT NULL
)
SELECT wiki, title, MAX(namespace) AS namespace, start_us, MIN(event_us) AS first_us,
  MAX(event_us) AS last_us, COUNT(*) AS changes, MAX(inside) AS most,
  COALESCE(SIZE(COLLECT_SET(editor)), 0) AS editors, CAST(SUM(bytes) AS BIGINT) AS bytes,
  MAX(page_url) AS page_url, MAX_BY(comment, CASE WHEN comment <> '' THEN place END) AS comment
FROM started WHERE start_us > :known_us GROUP BY wiki, title, start_us
ORDER BY start_us DESC, title, wiki LIMIT :row_limit"""


class Bursts:
    """For any thread; in `turns` with other questions that can wait. Windows up to `max_window` are held.

    Without `baselines` nothing is unusual.
    """

    def __init__(
        self,
        store: Store,
        engine: Engine,
        max_window: timedelta,
        turns: Turns[pa.Table],
        most_counted: int = MOST_COUNTED,
        baselines: Baselines | None = None,
    ) -> None:
        self._baselines = baselines
        self._store = store
        self._engine = engine
        self._held = max_window - _SPARED
        self._turns = turns
        self._long_queries = LongQueries(most_counted)
        self._guard = threading.Lock()
        self._answers: OrderedDict[BurstQuery, BurstAnswer] = OrderedDict()

    def get(self, query: BurstQuery) -> BurstAnswer:
        """The bursts at the last whole minute that is settled: computed once a minute, whatever is committed.

        Raises Busy, also while nothing is loaded, EngineError or TooManyChanges.
        """
        position = self._store.position
        if position is None or position.as_of_us is None:
            raise Busy("nothing is counted yet")
        to_us = (position.as_of_us - _SETTLED_US) // MINUTE_US * MINUTE_US
        moment = moment_of(to_us)
        with self._guard:
            known = self._answers.get(query)
        if known is not None and known.moment == moment:
            return known
        found = self._turns.result((query, to_us), partial(self._compute, query, to_us))
        told = islice(self._told(query, found.to_pylist()), MOST_BURSTS)
        answer = BurstAnswer(moment, tuple(_burst(query, row) for row in told))
        with self._guard:
            self._answers[query] = answer
            self._answers.move_to_end(query)
            while len(self._answers) > _MOST_ANSWERS:
                self._answers.popitem(last=False)
        return answer

    def _told(self, query: BurstQuery, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        baseline = self._baselines.newest() if self._baselines and query.unusual else None
        for row in rows:
            if not query.unusual or is_unusual(row, baseline, query.counted.window_us):
                yield row

    def _compute(self, query: BurstQuery, to_us: int) -> pa.Table:
        reach = self._reach(query, to_us)
        statement = burst_statement(query, to_us, reach)
        run: Callable[[], pa.Table] = self._engine.prepare(statement)
        if self._engine.rows_in_files(statement.after_us):
            over = query.over(reach)
            count = self._engine.prepare(matching_of(over, to_us))
            run = self._long_queries.guarded(over, count, run)
        return run()

    def _reach(self, query: BurstQuery, to_us: int) -> timedelta:
        """How far back the question goes: as far as is held in memory, so that a minute's work is bounded."""
        reach, least = self._held, 2 * query.lead  # so that half of what is asked about is listed
        while reach > 2 * least and self._engine.rows_in_files(to_us - reach // MICROSECOND):
            reach //= 2
        return reach


def _burst(query: BurstQuery, row: dict[str, Any]) -> Burst:
    # In which of the windows since 1970 it begins: a change that is told late moves the start by seconds.
    place = row["start_us"] // query.counted.window_us
    return Burst(
        id=query.id_of(row["wiki"], row["title"], place),
        wiki=row["wiki"],
        title=row["title"],
        start=moment_of(row["start_us"]),
        first=moment_of(row["first_us"]),
        last=moment_of(row["last_us"]),
        changes=row["changes"],
        editors=row["editors"],
        bytes=row["bytes"],
        url=web_url(row["page_url"]),
        comment=row["comment"],
    )
