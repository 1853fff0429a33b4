"""How the consumer's process ends."""

import os
import sys
from typing import NoReturn


def end_process(code: int) -> NoReturn:
    """At once, with this exit code, whatever other threads do.

    Python's own end aborts, or waits for ever, while a thread is in Arrow and that reads a file by Python's
    means: so does the maintenance with an object store. What isn't whole yet no reader sees, as after a kill.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
