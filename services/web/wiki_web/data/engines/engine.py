"""What answers SQL over the rows of the window: the interface of both engines."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import pyarrow as pa

from wiki_web.data.queries import Statement
from wiki_web.data.rows import Hour, RowsError

Progress = Callable[[int], None]


class EngineError(Exception):
    """The engine failed at a load or a query; it may work again at the next try."""


class EngineDied(EngineError):
    """The engine is gone for good: the process has to be started anew."""


@contextmanager
def stored_errors() -> Iterator[None]:
    """What goes wrong with a stored file that a query reads, as EngineError."""
    try:
        yield
    except (RowsError, OSError) as error:
        raise EngineError(f"stored rows can't be read: {error}") from error


class Engine(Protocol):
    """Has the rows of the window as the table `changes` with the columns of `rows.SCHEMA`.

    It holds as many as may be (`stored.MOST_HELD`), and leaves older ones in their hours' files.
    One thread loads, appends and rebases; any thread may prepare and run. Every method raises EngineError;
    those that load and rebase also RowsError or OSError, for the files that they read.
    """

    most_counted: int
    """Changes: a query that reads the files of hours may be about so many, for which there is room."""

    @property
    def rows_held(self) -> int: ...

    def rows_in_files(self, after_us: int) -> int:
        """How many rows that aren't held a query of what came after `after_us` reads."""

    def load(self, hours: Sequence[Hour], tail: pa.Table, horizon_us: int, progress: Progress) -> None:
        """Have the rows of `hours` from `horizon_us` on and `tail`, no others; `progress` gets files done."""

    def append(self, rows: pa.Table) -> None:
        """Hold these rows too, all or, if it raises, none. A caller gives each row once."""

    def needs_rebase(self, hours: Sequence[Hour], horizon_us: int) -> bool:
        """Whether a rebase would make the next queries cheaper."""

    def rebase(self, hours: Sequence[Hour], horizon_us: int) -> None:
        """Forget rows before `horizon_us` and arrange the others anew, while queries go on."""

    def prepare(self, statement: Statement) -> Callable[[], pa.Table]:
        """Fix the rows that there are now; the returned call computes over exactly those."""

    def compute(self, statement: Statement, hours: Sequence[Hour], rows: pa.Table) -> pa.Table:
        """The answer over `rows` and those in the files of `hours`, which are read for it alone and not held.

        `rows` has the columns that are needed; no others are read. One thread at a time calls it, and it
        takes one core at most.
        """

    def check(self) -> None:
        """Raise EngineDied if the engine is gone; without this call only a query would find out."""

    def close(self) -> None:
        """Give back what the engine holds; nothing works afterwards."""
