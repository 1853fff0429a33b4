"""Processor time, memory, files and threads of all that runs below this process, by part of the pipeline."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Final

import psutil

PIPELINE: Final = ("producer", "consumer", "web", "Kafka", "ZooKeeper", "run-local")
BESIDE: Final = ("simulator", "browser", "bench")
"""What stands in for Wikimedia, the viewer, and who measures."""

_NAMES: Final = {
    "wiki_producer": "producer",
    "wiki_consumer": "consumer",
    "wiki_web": "web",
    "kafka.Kafka": "Kafka",
    "org.apache.zookeeper.server.quorum.QuorumPeerMain": "ZooKeeper",
    "local_stack": "run-local",
    "chaos_run.run_local": "run-local",
    "stream_simulator": "simulator",
    "run-driver": "browser",
}
"""By an argument of the command line. A process without any belongs to its parent's part."""


def cpu_seconds() -> dict[str, float]:
    """Seconds by part, up to now. A child that has ended counts for the process that waited for it."""
    seconds: dict[str, float] = defaultdict(float)
    for part, process in _processes():
        with suppress(psutil.Error):
            seconds[part] += sum(process.cpu_times()[:4])
    return seconds


def memory_bytes() -> dict[str, int]:
    """Bytes by part, now. Of memory that processes share each has its part where the system tells (Linux)."""
    return _by_part(_memory)


def open_files() -> dict[str, int]:
    """How many files, connections and pipes each part has open, now."""
    return _by_part(lambda process: process.num_fds())


def threads() -> dict[str, int]:
    """How many each part has, now."""
    return _by_part(lambda process: process.num_threads())


def _memory(process: psutil.Process) -> int:
    memory = process.memory_full_info()
    return int(getattr(memory, "pss", memory.rss))


def _by_part(of: Callable[[psutil.Process], int]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for part, process in _processes():
        with suppress(psutil.Error):
            found[part] += of(process)
    return found


def _processes() -> Iterator[tuple[str, psutil.Process]]:
    """This process and all below it, with the part that each belongs to."""
    parts: dict[int, str] = {}
    this = psutil.Process()
    for process in (this, *this.children(recursive=True)):
        with suppress(psutil.Error):
            parts[process.pid] = part_of(process.cmdline()) or parts.get(process.ppid(), "bench")
            yield parts[process.pid], process


def part_of(command: list[str]) -> str | None:
    """The part whose own process has this command line."""
    return next((_NAMES[argument] for argument in command if argument in _NAMES), None)


def cores(before: Mapping[str, float], after: Mapping[str, float], seconds: float) -> dict[str, float]:
    """What each part took between two looks, in cores: 1.0 is one core without a pause."""
    return {part: (after[part] - before.get(part, 0.0)) / seconds for part in after}


def pipeline_cores(found: Mapping[str, float]) -> float:
    """All parts of the pipeline together."""
    return sum(found.get(part, 0.0) for part in PIPELINE)
