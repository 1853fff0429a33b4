"""What the pipeline takes on this machine: from the start to the first row, memory, processor, disk, images.

Each run starts everything anew, at the live rate. The images are those that Docker has here already.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import markdown
from benchmarks.command import LIVE_RATE, end_as_by_ctrl_c, hand_over, parser_of, tell
from benchmarks.disk import size
from benchmarks.figures import Figure
from benchmarks.machine import this_machine
from benchmarks.parts import PIPELINE, cores, cpu_seconds, memory_bytes, pipeline_cores
from harness.processes import wait_until
from harness.run_local import RunLocal
from harness.simulator import Simulator

_ROOT: Final = Path(__file__).resolve().parents[2]
SECTION: Final = "footprint"
_ENGINES: Final = ("duckdb", "spark")
_QUICK_MINUTES: Final = 0.2


@dataclass(frozen=True)
class Footprint:
    """Of one engine. `cores`: of the last minute; bytes: `memory` by part at the end, `disk` by folder."""

    engine: str
    seconds_to_first_row: float
    cores: Mapping[str, float]
    memory: Mapping[str, int]
    disk: Mapping[str, int]


def measure(engine: str, seconds: float) -> Footprint:
    """From a start until so many seconds after the first row. Raises AssertionError when none appears."""
    with (
        tempfile.TemporaryDirectory(prefix="footprint-") as name,
        closing(Simulator(Path(name))) as stream,
    ):
        stream.run(start=time.time() - 1, rate=LIVE_RATE, events=0)
        began = time.monotonic()
        environment = {"WIKI_STREAM_URL": stream.url, "WEB_ENGINE": engine, "DATA_DIR": ""}
        with closing(RunLocal(Path(name), env=environment)) as local:

            def has_rows() -> bool:
                local.assert_runs()
                answer = local.get("/api/v1/top")
                return bool(answer and answer["titles"])

            wait_until(has_rows, timeout=300, what="the page has a row", every=0.05)
            first = time.monotonic() - began
            last = min(60.0, seconds)
            time.sleep(seconds - last)
            start, before = time.monotonic(), cpu_seconds()
            time.sleep(last)
            local.assert_runs()
            taken = cores(before, cpu_seconds(), time.monotonic() - start)
            state = Path(name, "state")
            disk = {folder.name: size(folder) for folder in sorted(state.iterdir()) if folder.is_dir()}
            return Footprint(engine, first, taken, memory_bytes(), disk)


def images() -> dict[str, int]:
    """Bytes of each image of compose.yaml that Docker has here; nothing where there is no Docker."""
    compose = (_ROOT / "compose.yaml").read_text(encoding="utf-8")
    names = re.findall(r"^ +image: (wiki-live-top/\S+)$", compose, re.MULTILINE)
    plain = {re.sub(r"\$\{\w+:-(\w+)\}", r"\1", name) for name in names}
    return {name: size for name in sorted(plain) if (size := _image_size(name))}


def _image_size(name: str) -> int | None:
    command = ["docker", "image", "inspect", "--format={{.Size}}", name]
    try:
        run = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    return int(run.stdout)


def tables(found: Sequence[Footprint], sizes: Mapping[str, int]) -> str:
    """What was found, a row for each part, as Markdown."""
    return "\n\n".join(
        (
            markdown.table(
                ["engine", "start to first row, s", *(f"on the disk: {name}, MB" for name in found[0].disk)],
                (
                    [run.engine, f"{run.seconds_to_first_row:.1f}", *map(_megabytes, run.disk.values())]
                    for run in found
                ),
            ),
            markdown.table(
                ["part", *(f"{run.engine}: {what}" for run in found for what in ("memory, MB", "cores"))],
                ([part, *_of_part(found, (part,))] for part in PIPELINE),
            )
            + f"\n| **together** | {' | '.join(_of_part(found, PIPELINE))} |",
            markdown.table(["image", "MB"], ([name, _megabytes(size)] for name, size in sizes.items()))
            if sizes
            else "Docker has no images of ours here.",
        )
    )


def _of_part(found: Sequence[Footprint], parts: Sequence[str]) -> Iterator[str]:
    for run in found:
        yield _megabytes(sum(run.memory.get(part, 0) for part in parts))
        yield f"{sum(run.cores.get(part, 0.0) for part in parts):.2f}"


def figures(found: Sequence[Footprint], sizes: Mapping[str, int]) -> Iterator[Figure]:
    """All parts together, and what is not for a part."""
    for run in found:
        yield Figure(f"{run.engine}: start to first row", "s", (run.seconds_to_first_row,))
        memory = sum(run.memory.get(part, 0) for part in PIPELINE)
        yield Figure(f"{run.engine}: memory", "MB", (memory / 1e6,))
        yield Figure(f"{run.engine}: processor", "cores", (pipeline_cores(run.cores),))
    for name, bytes_ in sizes.items():
        yield Figure(f"image {name}", "MB", (bytes_ / 1e6,))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f}"


def main() -> int:
    end_as_by_ctrl_c()
    parser = parser_of("footprint", __doc__)
    parser.add_argument("--engine", choices=[*_ENGINES, "both"], default="both")
    parser.add_argument("--minutes", type=float, default=5, help="from the first row (default %(default)s)")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    options = parser.parse_args()
    minutes = _QUICK_MINUTES if options.quick else options.minutes
    head = f"{this_machine()} {LIVE_RATE} events/s, {minutes:g} minutes after the first row."
    print(head, flush=True)
    found = []
    for engine in _ENGINES if options.engine == "both" else (options.engine,):
        try:
            found.append(measure(engine, minutes * 60))
        except AssertionError as problem:
            print(problem, file=sys.stderr)
            return 1
        print(f"{engine}: first row after {found[-1].seconds_to_first_row:.1f} s", flush=True)
    sizes = images()
    tell(f"{head}\n\n{tables(found, sizes)}", SECTION, write=options.write)
    hand_over("footprint", list(figures(found, sizes)), options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
