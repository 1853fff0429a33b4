"""How late the page is, measured from outside, with the whole pipeline and a real browser on this machine.

Each run starts everything anew and reads twenty minutes of the stream's past; a warm-up is left out.
All settings but the ones below come from the environment, as run-local reads them.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks import markdown
from benchmarks.command import LIVE_RATE, PAGE, end_as_by_ctrl_c, hand_over, parser_of, tell
from benchmarks.figures import Figure
from benchmarks.freshness import plot, report
from benchmarks.freshness.moments import Incomplete, percentiles
from benchmarks.freshness.pipeline import Case, Freshness, Idle, Span, measure, measure_idle
from benchmarks.machine import this_machine
from benchmarks.parts import pipeline_cores
from wiki_common.duration import duration_text
from wiki_consumer.settings import Settings

_PICTURE: Final = PAGE.with_name("freshness.svg")
SECTIONS: Final = ("freshness", "triggers", "idle")
"""Of the page; each run that is written replaces one."""
_LONGEST: Final = 30  # minutes: nothing may leave the window
_QUICK: Final = Span(warm_up=10, measured=20)


def main() -> int:
    end_as_by_ctrl_c()
    options = _options()
    if options.minutes > _LONGEST:
        print(f"--minutes {options.minutes:g}: at most {_LONGEST}", file=sys.stderr)
        return 2
    head = f"{this_machine()} Warm-up: {_span(options).warm_up:g} s, measured: {_span(options).measured:g} s."
    print(head, flush=True)
    try:
        figures = _idle(options, head) if options.idle else _freshness(options, head)
    except (AssertionError, Incomplete) as problem:
        print(problem, file=sys.stderr)
        return 1
    hand_over("freshness", figures, options.json)
    return 0


def _options() -> argparse.Namespace:
    parser = parser_of("freshness", __doc__)
    parser.add_argument("--engine", choices=["duckdb", "spark", "both"], default="both")
    parser.add_argument(
        "--rates", type=_numbers, metavar="RATE,…", help="events per second over all wikis (default 40,400)"
    )
    parser.add_argument("--triggers", type=_words, metavar="INTERVAL,…", help="TRIGGER_INTERVAL: 500ms,1s")
    parser.add_argument("--minutes", type=float, default=5, help="measured in each run (default %(default)s)")
    parser.add_argument("--idle", action="store_true", help="what all parts take while nothing is counted")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the stages there")
    parser.add_argument("--write", action="store_true", help="put tables and plot into docs/benchmarks.md")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _words(text: str) -> list[str]:
    return text.split(",")


def _span(options: argparse.Namespace) -> Span:
    if options.quick:
        return _QUICK
    return Span(warm_up=60, measured=60 if options.idle else options.minutes * 60)


def _cases(options: argparse.Namespace) -> Iterator[Case]:
    alone = options.quick or options.idle or options.triggers
    for rate in options.rates or ([LIVE_RATE] if alone else [LIVE_RATE, 10 * LIVE_RATE]):
        for engine in ("duckdb", "spark") if options.engine == "both" else (options.engine,):
            for trigger in options.triggers or [duration_text(Settings().trigger_interval)]:
                yield Case(engine, rate, trigger)


def _freshness(options: argparse.Namespace, head: str) -> list[Figure]:
    runs: list[Freshness] = []
    for case in _cases(options):
        runs.append(measure(case, _span(options)))
        p50, p95, p99 = percentiles([passage.seconds for passage in runs[-1].passages])
        print(f"{case.name}: p50 {p50:.2f} s, p95 {p95:.2f} s, p99 {p99:.2f} s", flush=True)
    tables = (
        f"{head}\n\nSeconds:\n\n{report.latency_table(runs)}\n\n"
        f"Processor time meanwhile, in cores:\n\n{report.cores_table(runs)}"
    )
    print(f"\n{tables}")
    picture = plot.svg([plot.Row(run.case.name, run.passages) for run in runs])
    if options.plot:
        options.plot.write_text(picture, encoding="utf-8")
    if options.write and options.triggers:
        markdown.write(PAGE, "triggers", tables)
    elif options.write:
        _PICTURE.write_text(picture, encoding="utf-8")
        image = f"![Mean of each stage, and percentiles]({_PICTURE.name})"
        markdown.write(PAGE, "freshness", f"{image}\n\n{tables}")
    return [figure for run in runs for figure in _figures(run)]


def _figures(run: Freshness) -> Iterator[Figure]:
    found = percentiles([passage.seconds for passage in run.passages])
    for name, seconds in zip(found._fields, found, strict=True):
        yield Figure(f"event → browser, {run.case.name}, {name}", "s", (seconds,))
    yield Figure(f"processor, {run.case.name}", "cores", (pipeline_cores(run.cores),))


def _idle(options: argparse.Namespace, head: str) -> list[Figure]:
    runs: list[Idle] = []
    for case in _cases(options):
        runs += measure_idle(case, _span(options))
    tell(f"{head}\n\nIn cores:\n\n{report.idle_table(runs)}", "idle", write=options.write)
    return [Figure(f"{run.case.name}, {run.stream}", "cores", (pipeline_cores(run.cores),)) for run in runs]


if __name__ == "__main__":
    sys.exit(main())
