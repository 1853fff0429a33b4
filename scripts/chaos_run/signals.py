"""How a run that has started others is ended from outside."""

import signal
import sys


def end_on_signals() -> None:
    """Ctrl-C, SIGTERM and SIGHUP raise SystemExit with the shell's code for them, so that all is cleaned up.

    Ctrl-C too: what a shell starts in the background begins with it ignored.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
