"""All parts of the bench, one after another, in rounds: a figure's repetitions lie apart, not side by side.

Each part runs in a process of its own and hands its figures over; if one fails, the others go on. At the end
there are one table, and one file with all values, machine and versions.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks import figures
from benchmarks.command import end_as_by_ctrl_c, tell
from benchmarks.figures import Figure
from benchmarks.machine import Machine, this_machine, versions
from benchmarks.part_run import Failed, run_part

SECTION: Final = "whole"
_DEFAULT_FILE: Final = Path(__file__).resolve().parents[2] / ".local/bench.json"
_ROUNDS: Final = 3


@dataclass(frozen=True)
class Part:
    """`minutes` and `quick_minutes` are about what it takes on two cores."""

    name: str
    minutes: float
    quick_minutes: float
    arguments: Sequence[str] = ()
    """Of a full run: each part has its repetitions by the rounds, so it is shorter than alone."""

    def command(self, *, quick: bool, json: Path) -> list[str]:
        arguments = ["--quick"] if quick else self.arguments
        return [sys.executable, "-m", f"benchmarks.{self.name}", "--json", str(json), *arguments]


PARTS: Final = (
    Part("producer", 1.5, 0.5, ("--runs=1",)),
    Part("consumer", 15, 2.5),
    Part("web", 12, 3),
    Part("freshness", 10, 3.5, ("--rates=40", "--minutes=2.5")),
    Part("growth", 20, 4),
    Part("footprint", 12, 2),
    Part("naive", 17, 4, ("--minutes=2.5",)),
)


@dataclass
class Found:
    """Of one part, in all rounds: its figures, the seconds that it took, and why it failed where it did."""

    figures: list[Figure] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "figures": [figure.to_json() for figure in figures.together(self.figures)],
            "seconds": [round(seconds) for seconds in self.seconds],
            "failures": self.failures,
        }


def measure(parts: Sequence[Part], rounds: int, *, quick: bool) -> dict[str, Found]:
    """What each part found."""
    found = {part.name: Found() for part in parts}
    turns = [(number, part) for number in range(1, rounds + 1) for part in parts]
    for index, (number, part) in enumerate(turns):
        left = sum(_minutes(each, quick=quick) for _, each in turns[index:])
        _say(f"round {number} of {rounds}: {part.name}, some {left:.0f} minutes left for all")
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            began, file = time.monotonic(), Path(folder, "figures.json")
            try:
                command = part.command(quick=quick, json=file)
                run_part(command, Path(folder), patience=_patience(part, quick=quick))
                found[part.name].figures += figures.read(file)
            except Failed as failure:
                _say(f"{part.name} FAILED: {failure}")
                found[part.name].failures.append(f"round {number}: {failure}")
            found[part.name].seconds.append(time.monotonic() - began)
    return found


def _minutes(part: Part, *, quick: bool) -> float:
    return part.quick_minutes if quick else part.minutes


def _patience(part: Part, *, quick: bool) -> float:
    """Seconds after which a part hangs, also on a slow machine."""
    return 600 + 5 * 60 * _minutes(part, quick=quick)


def _say(text: str) -> None:
    print(f"\n== bench: {text}", flush=True)


def as_json(found: Mapping[str, Found], machine: Machine, rounds: int, *, quick: bool) -> dict[str, Any]:
    return {
        "machine": asdict(machine),
        "versions": versions(),
        "rounds": rounds,
        "quick": quick,
        "parts": {name: part.to_json() for name, part in found.items()},
    }


def text(found: Mapping[str, Found], machine: Machine, rounds: int, *, quick: bool) -> str:
    """All figures as one table, and below it what failed."""
    head = f"{machine} Rounds: {rounds}{', too short for true figures' if quick else ''}."
    table = figures.table({name: figures.together(part.figures) for name, part in found.items()})
    return "\n\n".join((head, table, *_failures(found)))


def _failures(found: Mapping[str, Found]) -> Iterator[str]:
    for name, part in found.items():
        for failure in part.failures:
            yield f"{name} failed in {failure}"


def main() -> int:
    """0 if all parts have their figures, 1 if not."""
    end_as_by_ctrl_c()
    options = _options()
    rounds = 1 if options.quick else options.rounds
    machine = this_machine()
    minutes = sum(_minutes(part, quick=options.quick) for part in PARTS) * rounds
    print(f"{machine}\n{', '.join(part.name for part in PARTS)}: some {minutes:.0f} minutes", flush=True)
    found = measure(PARTS, rounds, quick=options.quick)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    report = as_json(found, machine, rounds, quick=options.quick)
    options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False), encoding="utf-8")
    tell(text(found, machine, rounds, quick=options.quick), SECTION, write=options.write)
    print(f"\nall values are in {options.json}")
    return 1 if any(part.failures for part in found.values()) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="does it run here? One round, small sizes")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="repetitions (default %(default)s)")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", default=_DEFAULT_FILE, help="default .local/bench.json"
    )
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
