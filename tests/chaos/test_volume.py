"""The disk's faults, in a mount namespace of a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chaos_run.volume import OWN_MOUNTS, Disk, NoDisk

PROGRAM = """
import errno, itertools, sys, threading, time
from contextlib import closing
from pathlib import Path
from chaos_run.volume import Disk

folder = Path(sys.argv[1])
file = folder / "volume" / "file"
new = (folder / "volume" / str(number) for number in itertools.count())

def problem():
    try:
        next(new).write_bytes(bytes(1_000_000))
    except OSError as error:
        return errno.errorcode[error.errno]

def seconds_of_a_write():
    began = time.monotonic()
    file.write_bytes(b"x")
    return time.monotonic() - began

with closing(Disk(folder / "disk", folder / "volume")) as disk:
    found = [problem()]
    disk.fill(lambda: found.append(problem()))
    found.append(problem())
    with file.open("ab"):
        disk.be_read_only(lambda: found.append(problem()))
    found.append(problem())
    over = time.monotonic() + 2
    slow = threading.Thread(target=disk.be_slow, args=(lambda: time.monotonic() > over,))
    slow.start()
    time.sleep(0.3)
    found.append(seconds_of_a_write() > 0.2)
    slow.join()
    found.append(seconds_of_a_write() < 0.2)
print(found)
"""


def test_without_a_mount_namespace_nothing_is_mounted(tmp_path: Path) -> None:
    with pytest.raises(NoDisk, match="not root, or no mount namespaces"):
        Disk(tmp_path / "disk", tmp_path / "volume")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_cannot_be_made_is_told_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OWN_MOUNTS, "1")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NoDisk, match=r"^no truncate$"):
        Disk(tmp_path / "disk", tmp_path / "volume")


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="takes root on Linux")
def test_a_disk_is_full_read_only_and_slow_for_a_while(tmp_path: Path) -> None:
    done = subprocess.run(
        ("unshare", "--mount", "env", f"{OWN_MOUNTS}=1", sys.executable, "-c", PROGRAM, tmp_path),
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert done.stdout.strip() == str([None, "ENOSPC", None, "EROFS", None, True, True])
    assert not (tmp_path / "volume/file").exists()
