"""A worker whose master was killed ends: it would keep the port from the next start.

gunicorn looks for its master only while serving, and then waits for its clients.
"""

import ctypes
import os
import signal
import sys
import threading
import time
from typing import Final

from wiki_web.data.refresher import end_process

MASTER_CHECK_SECONDS: Final = 0.2
_PR_SET_PDEATHSIG: Final = 1


def end_with_master(master: int) -> None:
    """Let this process end as soon as its parent isn't the process `master` any more."""
    if sys.platform == "linux":
        # The kernel also ends a worker that is stopped, or that no thread of Python's runs in.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_watch, args=(master,), name="end_with_master", daemon=True).start()


def _watch(master: int) -> None:
    """Elsewhere than on Linux, and for a master that was killed before the kernel was asked."""
    while master == os.getppid():
        time.sleep(MASTER_CHECK_SECONDS)
    end_process("gunicorn's master is gone")
