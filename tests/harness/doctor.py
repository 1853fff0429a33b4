"""A doctor as a process: that of a service, or of all."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence


def doctor(package: str, *options: str, command: Sequence[str] = (), **env: str) -> tuple[int, list[str]]:
    """The exit code and the lines of `package`'s, run by `command`; AssertionError if it has more to say."""
    return findings([*command, sys.executable, "-m", f"{package}.doctor", *options], env)


def findings(
    command: Sequence[str], env: Mapping[str, str], *, timeout: float = 120
) -> tuple[int, list[str]]:
    """The exit code and the lines of any doctor's command; AssertionError if it writes to stderr."""
    ended = subprocess.run(
        command, env={**os.environ, **env}, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert ended.stderr == ""
    return ended.returncode, ended.stdout.splitlines()


def problems(lines: Sequence[str]) -> list[str]:
    """The lines of the problems alone, without FAIL and the service."""
    return [line.split(" ", 2)[2] for line in lines if line.startswith("FAIL ")]
