"""python -m wiki_web.data.engines.past_worker SOCKET PATIENCE: answers PastProcess, gives way to others."""

import os
import select
import signal
import socket
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from wiki_common.store.place import place_named
from wiki_web.data.engines.duckdb_past import DuckDBPast
from wiki_web.data.engines.engine import EngineError
from wiki_web.data.engines.past_messages import receive, send
from wiki_web.data.queries import Statement

# Enough to be answered on a machine that is busy with other things for long.
_NICENESS: Final = 10


def main() -> None:
    # A terminal's Ctrl-C is for the page, with whose end the socket ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _give_way()
    with socket.socket(fileno=int(sys.argv[1])) as channel, suppress(OSError):
        serve(channel, patience=float(sys.argv[2]))


def serve(channel: socket.socket, patience: float) -> None:
    """Until nobody has asked for `patience` seconds, or can ask any more; OSError if nobody listens."""
    questions, answers = channel.makefile("rb"), channel.makefile("wb")
    with questions, answers, closing(DuckDBPast()) as past:
        while _is_asked(channel, patience):
            asked, rows = receive(questions)
            files = [place_named(file) for file in asked.pop("files")]
            words: dict[str, Any] = {}
            try:
                found = past.compute(Statement(**asked), files, rows)
            except EngineError as error:
                words, found = {"error": str(error)}, pa.table({})
            send(answers, words, found)


def _is_asked(channel: socket.socket, patience: float) -> bool:
    readable, _, _ = select.select([channel], [], [], patience)
    return bool(readable) and bool(channel.recv(1, socket.MSG_PEEK))


def _give_way() -> None:
    """Let others have the core first, and be the first to go when memory is short."""
    os.nice(_NICENESS)
    if sys.platform == "linux":
        with suppress(OSError):  # a sandbox may refuse it
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


if __name__ == "__main__":
    main()
