"""Queries that reach further back than what is held: one at a time, and none about too many changes."""

import threading
from collections.abc import Callable
from typing import Final

import pyarrow as pa

from wiki_common.duration import duration_text
from wiki_web.data.queries import Query

MOST_COUNTED: Final = 400_000
"""Changes, for which there is room in any engine, and of a past moment."""


class TooManyChanges(Exception):
    """The message is for who asked."""

    def __init__(self, query: Query, matching: int, most: int) -> None:
        super().__init__(
            f"window: {duration_text(query.window)} has {matching:,} such changes, and {most:,} can be "
            "counted at once: a shorter one has fewer, and so has one wiki, type or namespace"
        )


class LongQueries:
    """For any thread."""

    def __init__(self, most_counted: int) -> None:
        self._most_counted = most_counted
        self._turn = threading.Lock()

    def guarded(
        self, query: Query, count: Callable[[], pa.Table], run: Callable[[], pa.Table]
    ) -> Callable[[], pa.Table]:
        """`run`, or TooManyChanges if `count`, the run of the query's `matching_of`, finds too many."""

        def guarded() -> pa.Table:
            with self._turn:
                matching: int = count()["matching"][0].as_py()
                if matching > self._most_counted:
                    raise TooManyChanges(query, matching, self._most_counted)
                return run()

        return guarded
