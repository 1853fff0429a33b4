"""A sleep that works with libfaketime, which takes what Python's own waits for as a time of the set clock.

Python imports this file at its start where its folder is in PYTHONPATH.
"""

import select
import time
from typing import SupportsIndex


def _sleep(duration: float | SupportsIndex, /) -> None:
    seconds = float(duration)
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    select.select([], [], [], seconds)


time.sleep = _sleep
