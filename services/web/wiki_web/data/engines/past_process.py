"""DuckDBPast in a process of its own, which is started when it is asked and ends when nobody asks any more.

What it computes holds neither Python's lock, which the live page needs, nor a core that anything else wants.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Final

import pyarrow as pa

from wiki_web.data.engines.engine import EngineError
from wiki_web.data.engines.past_messages import receive, send
from wiki_web.data.queries import Statement
from wiki_web.data.rows import Hour

_MODULE: Final = "wiki_web.data.engines.past_worker"
_PATIENCE: Final = 300.0  # seconds: if nobody asks for so long, its memory is given back
_ENDS_WITHIN: Final = 2.0  # seconds


class _EndedByItself(EngineError):
    """It had waited for long enough just when it was asked, and didn't take the question."""


class _Worker:
    """A process that answers one question after another, until none comes for `patience` seconds."""

    def __init__(self, patience: float) -> None:
        self._channel, its_end = socket.socketpair()
        with its_end:
            self._process = subprocess.Popen(  # noqa: S603 - this program
                (sys.executable, "-m", _MODULE, str(its_end.fileno()), str(patience)),
                stdin=subprocess.DEVNULL,
                pass_fds=(its_end.fileno(),),
                # It finds modules where this process does.
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        self._questions, self._answers = self._channel.makefile("wb"), self._channel.makefile("rb")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def answer(self, statement: Statement, files: list[str], rows: pa.Table) -> pa.Table:
        """Raises EngineError, and OSError or pa.ArrowInvalid if it ends meanwhile."""
        send(self._questions, {**asdict(statement), "files": files}, rows)
        words, found = receive(self._answers)
        if "error" in words:
            raise EngineError(words["error"])
        return found

    def end(self) -> int:
        """Its exit code, 0 too if this has to kill it: it didn't die of the question.

        It ends once it sees that nobody can ask any more, which may take a while on a busy machine.
        """
        for end in (self._questions, self._answers, self._channel):
            with suppress(OSError):  # what it didn't take
                end.close()
        try:
            return self._process.wait(_ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return 0


class PastProcess:
    """One thread at a time computes."""

    def __init__(self, patience: float = _PATIENCE) -> None:
        self._patience = patience
        self._worker: _Worker | None = None

    @property
    def pid(self) -> int | None:
        """Of the process that answered last, None before."""
        return self._worker.pid if self._worker else None

    def compute(self, statement: Statement, hours: Sequence[Hour], rows: pa.Table) -> pa.Table:
        """As Engine.compute; the statement is in DuckDB's dialect."""
        files = [str(hour.path) for hour in hours]
        try:
            return self._ask(statement, files, rows)
        except _EndedByItself:
            return self._ask(statement, files, rows)

    def close(self) -> None:
        if self._worker is not None:
            self._worker.end()
            self._worker = None

    def _ask(self, statement: Statement, files: list[str], rows: pa.Table) -> pa.Table:
        """One that dies of the question isn't asked again: it may have been killed for its memory."""
        if self._worker is None or self._worker.has_ended:
            self.close()
            try:
                self._worker = _Worker(self._patience)
            except OSError as error:
                raise EngineError(f"duckdb: what computes past moments can't be started: {error}") from error
        try:
            return self._worker.answer(statement, files, rows)
        except (OSError, pa.ArrowInvalid) as error:
            code = self._worker.end()
            raised = EngineError if code else _EndedByItself
            raise raised(f"duckdb: what computes past moments ended with {code}") from error
