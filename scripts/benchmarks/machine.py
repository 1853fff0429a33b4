"""On what a measurement was taken."""

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil

from wiki_common import VERSION

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES: Final = ("pyspark", "kafka-python", "duckdb", "pyarrow", "flask", "gunicorn", "aiohttp")


@dataclass(frozen=True)
class Machine:
    """`load` is the load average of the minute before the measurement."""

    commit: str
    date: str
    cores: int
    memory_gb: int
    architecture: str
    load: float

    def __str__(self) -> str:
        return (
            f"Commit {self.commit}, {self.date}, {self.cores} cores ({self.architecture}),"
            f" {self.memory_gb} GB of memory, load average before: {self.load:.1f}."
        )


def this_machine() -> Machine:
    """As it is now. Raises CalledProcessError outside a checkout."""
    # The page that the figures are written to is no part of what is measured.
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs")
    return Machine(
        commit=_git("rev-parse", "--short", "HEAD") + (" with changes" if changed else ""),
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gb=round(psutil.virtual_memory().total / 2**30),
        architecture=platform.machine(),
        load=os.getloadavg()[0],
    )


def versions() -> dict[str, str]:
    """Of what the figures depend on most. Raises OSError and CalledProcessError without Java."""
    home = os.environ.get("JAVA_HOME")
    command = [f"{home}/bin/java" if home else "java", "-version"]
    java = subprocess.run(command, check=True, stderr=subprocess.PIPE, text=True).stderr
    return {
        "live-top": VERSION,
        "system": platform.platform(),
        "python": platform.python_version(),
        "java": (re.findall(r'version "([^"]+)"', java) or [java.strip()])[0],
        **{package: version(package) for package in _PACKAGES},
    }


def _git(*arguments: str) -> str:
    run = subprocess.run(["git", *arguments], cwd=_ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return run.stdout.strip()
