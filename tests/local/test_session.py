import subprocess
import sys

from harness.processes import wait_until
from local_stack import session

# A leader with a child in another process group, as supervisord starts them, and a grandchild of that.
_FAMILY = """
import os, time
if os.fork() == 0:
    os.setpgid(0, 0)
    os.fork()
time.sleep(600)
"""


def test_ending_a_session_ends_every_generation_and_nothing_else() -> None:
    leader = subprocess.Popen([sys.executable, "-c", _FAMILY], start_new_session=True)
    bystander = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
    )
    try:
        wait_until(lambda: len(session.members(leader.pid)) == 3, timeout=60, what="three generations run")
        assert session.end(leader.pid) == []
        assert session.members(leader.pid) == []
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
        leader.wait()
