"""The stream simulator by the fast clock: as many events an hour of it as the factor says."""

from pathlib import Path
from typing import Final

from benchmarks.command import LIVE_RATE
from chaos_run import clocks
from chaos_run.stream import address, serving
from soak_run.clock import SPEED, VARIABLES, FastClock

SERVICE: Final = "simulator"
_PAST: Final = 27 * 60
"""Seconds of it that lie behind the start: a bit of the last hour, nothing that is too old to be counted."""
# As upstream, often in the middle of an event.
_SECONDS_BETWEEN_CUTS: Final = 15 * 60


class Stream:
    """Endless, and begun some time ago; `factor` times the live rate while the clock goes fast."""

    def __init__(self, folder: Path, clock_files: Path, clock: FastClock, factor: float) -> None:
        self.begins = clock.now() - _PAST
        rate = max(1, round(LIVE_RATE * factor / SPEED))
        options: dict[str, str | int | Path] = {
            "start": int(self.begins * 1000),
            "rate": rate,
            "cut-every": rate * _SECONDS_BETWEEN_CUTS,
        }
        env = {**clocks.variables(clock_files, SERVICE), **VARIABLES}
        self._child, port = serving(folder, options, env)
        self.url = address(port, self.begins)

    def check_runs(self) -> None:
        self._child.check_runs("the simulator")

    def close(self) -> None:
        self._child.close()
