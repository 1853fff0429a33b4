"""The whole pipeline under faults at random moments; in the end nothing may be lost or counted twice.

The stream's simulator has all of its faults on. Meanwhile every process is killed, stopped, asked to end,
killed again while it starts; clocks are set, and the volume's disk is full, read-only or slow.
"""

import argparse
import random
import sys
from pathlib import Path
from subprocess import CalledProcessError

from chaos_run import report
from chaos_run.children import Failure
from chaos_run.history import History
from chaos_run.run import Plan, Run
from chaos_run.schedule import processes, schedule
from chaos_run.signals import end_on_signals
from local_stack.arguments import number_between
from local_stack.broker import ROOT


def main() -> int:
    """0 if all counts agree in the end and no process needed a hand, 1 if not."""
    options = _options()
    end_on_signals()
    targets = processes(options.engine)
    faults = schedule(options.seed, options.minutes * 60, targets)
    plan = Plan(options.seed, options.minutes * 60, options.engine, faults, targets)
    path = options.history or ROOT / f".local/chaos/seed-{options.seed}.jsonl"
    history = History(path)
    command = f"./scripts/chaos --seed {plan.seed} --minutes {options.minutes:g} --engine {plan.engine}"
    history.say(f"{len(faults)} faults; to repeat them: {command}")
    history.note("run", seed=plan.seed, minutes=options.minutes, engine=plan.engine)
    problem = _run(plan, history)
    history.note("end", problem=problem)
    history.close()
    lines = report.read(path)
    print(f"\n{report.tables(lines)}\n\n{report.made(lines)} faults; the history is in {path}")
    print(f"FAILED: {problem}" if problem else "passed: stream = topic = volume = page, title by title")
    return 1 if problem else 0


def _run(plan: Plan, history: History) -> str | None:
    """What went wrong, None if nothing did."""
    run: Run | None = None
    problem: str | None = None
    try:
        run = Run(plan, history)
        run.make_faults()
        run.compare()
    except (Failure, CalledProcessError) as failure:
        problem = str(failure)
        history.say(problem)
    finally:
        if run is not None:
            run.close(keep=problem is not None)
    return problem


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./scripts/chaos", description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**6), help="repeats a schedule (default: another one)"
    )
    parser.add_argument(
        "--minutes", type=number_between(1, 1440), default=20.0, help="of faults (default %(default)g)"
    )
    parser.add_argument("--engine", choices=["duckdb", "spark"], default="duckdb", help="the page's")
    parser.add_argument("--history", type=Path, metavar="FILE", help="default .local/chaos/seed-SEED.jsonl")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
