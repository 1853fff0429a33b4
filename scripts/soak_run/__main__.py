"""The whole pipeline at many times the live rate while hours pass: does anything grow?

The clocks of all services go up to twenty times as fast, so hours are closed, and the retention deletes.
Memory, open files, threads, disk, and how long a batch and a refresh take are compared: once as much goes as
comes, and at the end.
"""

import argparse
import json
import sys
from dataclasses import asdict
from http.client import HTTPException
from pathlib import Path
from typing import Final

from benchmarks.command import LIVE_RATE, tell
from benchmarks.machine import Machine, this_machine, versions
from chaos_run import clocks
from chaos_run.children import Failure
from chaos_run.signals import end_on_signals
from local_stack.__main__ import MISSING
from local_stack.arguments import number_between
from soak_run import report
from soak_run.report import Row
from soak_run.run import Plan, Run, Soaked

SECTION: Final = "soak"
_DEFAULT_FILE: Final = Path(__file__).resolve().parents[2] / ".local/soak.json"
_WHOLE: Final = 60.0
_FAILURES: Final = (Failure, OSError, HTTPException)


def main() -> int:
    """0 if nothing has grown, 1 if something has, or the run failed."""
    options = _options()
    if clocks.library() is None:
        print("libfaketime is not installed: sudo apt install libfaketime", file=sys.stderr)
        return MISSING
    end_on_signals()
    machine = this_machine()
    try:
        soaked = _run(Plan(options.minutes * 60, options.factor))
    except _FAILURES as problem:
        print(f"FAILED: {problem}")
        return 1
    rows = report.rows(soaked.start, soaked.end)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(_as_json(options, machine, soaked, rows), indent=1), encoding="utf-8")
    tell(f"{_head(options, machine, soaked)}\n\n{report.text(rows)}", SECTION, write=options.write)
    grown = [row for row in rows if row.has_grown]
    print(f"\nFAILED: {len(grown)} have grown" if grown else "\npassed: nothing has grown")
    return 1 if grown else 0


def _run(plan: Plan) -> Soaked:
    """Raises Failure, OSError and HTTPException; then its folder is kept."""
    run, failed = Run(plan), False
    try:
        return run.soak()
    except _FAILURES:
        failed = True
        raise
    finally:
        run.close(keep=failed)


def _head(options: argparse.Namespace, machine: Machine, soaked: Soaked) -> str:
    short = "" if soaked.steady else " Too short for the retention: growth is no wonder."
    return (
        f"{machine} {options.minutes:g} minutes at {options.factor:g} times {LIVE_RATE} events/s;"
        f" {soaked.hours:.1f} hours passed, {soaked.closed} were closed, {soaked.deleted} deleted.{short}"
    )


def _as_json(
    options: argparse.Namespace, machine: Machine, soaked: Soaked, rows: list[Row]
) -> dict[str, object]:
    return {
        "machine": asdict(machine),
        "versions": versions(),
        "minutes": options.minutes,
        "factor": options.factor,
        "steady": soaked.steady,
        "hours": {"passed": soaked.hours, "closed": soaked.closed, "deleted": soaked.deleted},
        "rows": [row.to_json() for row in rows],
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./scripts/soak", description=__doc__)
    parser.add_argument("--minutes", type=number_between(1, 1440), default=_WHOLE, help="default %(default)g")
    parser.add_argument(
        "--factor",
        type=number_between(0.1, 500),
        default=50.0,
        help="times the live rate (default %(default)g)",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", default=_DEFAULT_FILE, help="default .local/soak.json"
    )
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
