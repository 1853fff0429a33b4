"""Which fault comes when: a pure function of seed, length and targets."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final

FAULTS_A_MINUTE: Final = 6
"""Enough for a hundred in twenty minutes where some of them can't be made."""
SERVICES: Final = ("producer", "kafka", "zookeeper", "consumer", "web")
"""Each has a clock of its own."""
VOLUME: Final = "volume"
_PROCESSES: Final = ("producer", "kafka", "zookeeper", "consumer", "consumer-jvm", "web-master", "web-worker")
_WEB_JVM: Final = "web-jvm"
_SLOW: Final = ("consumer", "consumer-jvm", _WEB_JVM)
"""Hit half as often: they start Spark, and who hits them again before it is up finds nothing at work."""


class Kind(StrEnum):
    """What happens; the values are for people."""

    KILL = "SIGKILL"
    KILL_TWICE = "SIGKILL, again at the start"
    STOP = "SIGSTOP, SIGCONT"
    TERMINATE = "SIGTERM"
    CLOCK = "clock set"
    FULL = "disk full"
    READ_ONLY = "volume read-only"
    SLOW = "disk slow"


OF_PROCESSES: Final = (Kind.KILL, Kind.KILL_TWICE, Kind.STOP, Kind.TERMINATE)
OF_VOLUMES: Final = (Kind.FULL, Kind.READ_ONLY, Kind.SLOW)


@dataclass(frozen=True)
class Fault:
    """One entry of a schedule; times are seconds from its begin."""

    at: float
    kind: Kind
    target: str
    """A process, a service whose clock is set, or the volume."""
    delay: float
    """Seconds from the moment that a process is there that had to be waited for, to the signal."""
    lasts: float
    """Seconds until it is taken back; 0 for a signal that ends a process."""
    clock: float
    """Seconds by which the clock is ahead, below 0 behind; 0 for other faults."""


def processes(engine: str) -> tuple[str, ...]:
    """The processes that are hit when the page's engine is `engine`."""
    return (*_PROCESSES, _WEB_JVM) if engine == "spark" else _PROCESSES


def schedule(seed: int, seconds: float, targets: Sequence[str]) -> list[Fault]:
    """The faults of a run of `seconds`, in order, one in each of equally long parts of it."""
    choices = random.Random(seed)
    deck = _deck(choices, targets)
    number = round(seconds / 60 * FAULTS_A_MINUTE)
    length = seconds / number
    return [_fault(choices, *next(deck), at=(turn + choices.random()) * length) for turn in range(number)]


def _deck(choices: random.Random, targets: Sequence[str]) -> Iterator[tuple[Kind, str]]:
    """Every kind at every target in random order, and again: none is left out for long."""
    cards = [
        *product(OF_PROCESSES, targets),
        *product(OF_PROCESSES, (target for target in targets if target not in _SLOW)),
        *product((Kind.CLOCK,), SERVICES),
        *product(OF_VOLUMES, (VOLUME,)),
    ]
    while True:
        choices.shuffle(cards)
        yield from cards


def _fault(choices: random.Random, kind: Kind, target: str, *, at: float) -> Fault:
    delay, lasts = choices.uniform(0, 8), choices.uniform(10, 60)
    ahead = choices.choice((-1, 1)) * choices.uniform(60, 600)
    return Fault(
        round(at, 1),
        kind,
        target,
        round(delay, 1),
        0.0 if kind in (Kind.KILL, Kind.KILL_TWICE, Kind.TERMINATE) else round(lasts, 1),
        float(round(ahead)) if kind is Kind.CLOCK else 0.0,
    )
