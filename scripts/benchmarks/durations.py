"""How long something took a service, as its metrics tell."""

import urllib.request
from dataclasses import dataclass


@dataclass(frozen=True)
class Durations:
    """Of so many times, since the service started: seconds in all."""

    count: float
    seconds: float

    def since(self, before: "Durations") -> "Durations":
        return Durations(self.count - before.count, self.seconds - before.seconds)

    @property
    def mean(self) -> float:
        """Raises ZeroDivisionError if it never happened."""
        return self.seconds / self.count


def metrics_of(port: int) -> dict[str, float]:
    """What the service at this port of 127.0.0.1 tells, by name and labels. Raises OSError."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as response:
        lines = response.read().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def durations(port: int, histogram: str) -> Durations:
    """Raises OSError, and KeyError if there is no such histogram."""
    found = metrics_of(port)
    return Durations(found[f"{histogram}_count"], found[f"{histogram}_sum"])
