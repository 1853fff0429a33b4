"""What a process costs and since when it runs, as Prometheus metrics."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

_PROC: Final = Path("/proc")
# In /proc/PID/stat, counted from behind the command's name.
_PARENT: Final = 1
_RESIDENT_PAGES: Final = 21


def watch_process(registry: CollectorRegistry, memory: str) -> None:
    """Add process_*, and the memory of all that the process started as `memory`; Linux alone tells them."""
    ProcessCollector(registry=registry)
    registry.register(_Memory(memory))


class _Memory(Collector):
    """process_resident_memory_bytes is that of Python alone, and most of a Spark service is its JVM's."""

    def __init__(self, name: str) -> None:
        self._name = name

    def collect(self) -> Iterator[GaugeMetricFamily]:
        pages = _pages_of_family(os.getpid())
        if pages:
            yield GaugeMetricFamily(
                self._name,
                "Resident memory of this process and of those that it started",
                value=pages * os.sysconf("SC_PAGE_SIZE"),
            )


def _pages_of_family(root: int) -> int:
    """Resident pages of `root` and of all that it started; 0 where there is no /proc."""
    parents, pages = {}, {}
    for stat in _PROC.glob("[0-9]*/stat"):
        # A process that has ended meanwhile doesn't count.
        with suppress(OSError):
            fields = stat.read_bytes().rpartition(b")")[2].split()
            pid = int(stat.parent.name)
            parents[pid], pages[pid] = int(fields[_PARENT]), int(fields[_RESIDENT_PAGES])

    def is_ours(pid: int) -> bool:
        while pid != root and pid in parents:
            pid = parents[pid]
        return pid == root

    return sum(number for pid, number in pages.items() if is_ours(pid))
