"""A service's doctor as a process."""

import os
import subprocess
import sys
from collections.abc import Sequence


def doctor(package: str, *options: str, command: Sequence[str] = (), **env: str) -> tuple[int, list[str]]:
    """The exit code and the lines of `package`'s, run by `command`; AssertionError if it has more to say."""
    ended = subprocess.run(
        [*command, sys.executable, "-m", f"{package}.doctor", *options],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.stderr == ""
    return ended.returncode, ended.stdout.splitlines()


def problems(lines: Sequence[str]) -> list[str]:
    """The lines of those, without FAIL and the service."""
    return [line.split(" ", 2)[2] for line in lines if line.startswith("FAIL ")]
