"""Runs supervisord in a session of its own, and outlives nobody: `python -m local_stack.guard CONFIG`.

It is started as a session's leader with a pipe as its input. When supervisord ends, or the pipe does because
run-local is gone (by SIGKILL, too), all processes of the session are killed and the configuration's folder is
removed.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

from local_stack import session


def main() -> int:
    configuration = Path(sys.argv[1])
    # Only run-local decides about the end: it asks supervisord, or lets go of the pipe.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    supervisord = subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "--configuration", str(configuration)],
        stdin=subprocess.DEVNULL,
    )

    def await_the_end_of_run_local() -> None:
        # Not sys.stdin: a thread that holds its lock makes the interpreter's exit fail.
        while os.read(0, 1024):
            pass
        supervisord.kill()

    threading.Thread(target=await_the_end_of_run_local, daemon=True).start()
    code = supervisord.wait()
    session.end(os.getsid(0), spare=os.getpid())
    shutil.rmtree(configuration.parent, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
