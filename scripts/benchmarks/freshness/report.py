"""How late the page was, as Markdown tables."""

from collections.abc import Iterable, Sequence

from benchmarks.freshness.moments import STAGES, percentiles
from benchmarks.freshness.pipeline import Case, Freshness, Idle
from benchmarks.markdown import table
from benchmarks.parts import BESIDE, PIPELINE, pipeline_cores


def latency_table(runs: Sequence[Freshness]) -> str:
    """A row for each run: seconds of the whole way, and of each stage."""
    return table(
        [
            *_CASE,
            "events",
            "event → browser p50 / p95 / p99",
            *(f"{stage} p50 / p95" for stage in STAGES),
        ],
        ([*_case(run.case), str(len(run.passages)), *_latencies(run)] for run in runs),
    )


def cores_table(runs: Sequence[Freshness]) -> str:
    """A row for each run: what each part took, in cores."""
    return table([*_CASE, *_PARTS], ([*_case(run.case), *_cores(run.cores)] for run in runs))


def idle_table(runs: Sequence[Idle]) -> str:
    return table(
        ["engine", "trigger", "the stream is", *_PARTS],
        ([run.case.engine, run.case.trigger, run.stream, *_cores(run.cores)] for run in runs),
    )


_CASE = ("engine", "events/s", "trigger")
_PARTS = (*PIPELINE, "**together**", *BESIDE)


def _case(case: Case) -> list[str]:
    return [case.engine, str(case.rate), case.trigger]


def _latencies(run: Freshness) -> Iterable[str]:
    p50, p95, p99 = percentiles([passage.seconds for passage in run.passages])
    yield f"**{p50:.2f}** / {p95:.2f} / {p99:.2f}"
    for stage in zip(*(passage.stages for passage in run.passages), strict=True):
        p50, p95, _ = percentiles(stage)
        yield f"{p50:.2f} / {p95:.2f}"


def _cores(found: dict[str, float]) -> list[str]:
    parts = [f"{found.get(part, 0.0):.2f}" for part in (*PIPELINE, *BESIDE)]
    return [*parts[: len(PIPELINE)], f"**{pipeline_cores(found):.2f}**", *parts[len(PIPELINE) :]]
