"""A clock for each service that can be set while it runs: libfaketime, where it is installed."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_LIBRARY: Final = "libfaketimeMT.so.1"
_FOLDERS: Final = ("usr/lib/*/faketime", "usr/lib*/faketime", "usr/local/lib/faketime")
_SLEEP: Final = Path(__file__).parent / "clocked"
FOLDER: Final = "CHAOS_CLOCKS"
"""The variable by which run-local's services find their clocks' files; without it they have the machine's."""


def library() -> Path | None:
    """Where libfaketime is, None where it isn't."""
    return next((file for folder in _FOLDERS for file in Path("/").glob(f"{folder}/{_LIBRARY}")), None)


def environment(service: str) -> Mapping[str, str]:
    """The variables that give a service of run-local the clock that `Clocks` sets in FOLDER."""
    folder = os.environ.get(FOLDER)
    return variables(Path(folder), service) if folder else {}


def variables(folder: Path, service: str) -> Mapping[str, str]:
    """Those that give `service` the clock that `Clocks` sets in `folder`; none without libfaketime."""
    found = library()
    if not found:
        return {}
    return {
        "PYTHONPATH": os.pathsep.join((str(_SLEEP), os.environ.get("PYTHONPATH", ""))),
        "LD_PRELOAD": str(found),
        "FAKETIME_TIMESTAMP_FILE": str(folder / service),
        "FAKETIME_CACHE_DURATION": "1",
        # A JVM waits by a clock that nobody sets, and files have the disk's times.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # Its workaround for an old bug of glibc turns each wait of a JVM into a busy one.
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        "NO_FAKE_STAT": "1",
        # A killed process would leave its shared memory behind.
        "FAKETIME_DISABLE_SHM": "1",
    }


class Clocks:
    """All clocks are right at first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()

    def set(self, service: str, ahead: float) -> None:
        """Let the service's clock be `ahead` seconds ahead, or behind if below 0."""
        new = self._folder / f"{service}.new"
        new.write_text(f"{ahead:+.0f}\n", encoding="ascii")
        new.rename(self._folder / service)
