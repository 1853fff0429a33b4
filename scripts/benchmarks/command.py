"""What the benches share: their options, how they end, and where their tables go."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks import figures, markdown
from benchmarks.figures import Figure

PAGE: Final = Path(__file__).resolve().parents[2] / "docs/benchmarks.md"
LIVE_RATE: Final = 40
"""Events a second of all wikis together, as Wikimedia's."""


def end_as_by_ctrl_c() -> None:
    """SIGTERM too ends what runs, and removes its folder."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def parser_of(part: str, description: str | None) -> argparse.ArgumentParser:
    """A parser with the options that all parts have."""
    parser = argparse.ArgumentParser(
        prog=f"scripts/bench {part}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="as little as shows that it works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    return parser


def hand_over(part: str, found: Sequence[Figure], file: Path | None) -> None:
    """Print the figures and, if asked for, write them to `file`."""
    print(f"\n{figures.table({part: found})}", flush=True)
    if file:
        figures.write(file, found)


def tell(text: str, section: str, *, write: bool) -> None:
    """Print what was found, and with `write` put it into `section` of PAGE. Raises NoMarkers."""
    print(f"\n{text}")
    if write:
        markdown.write(PAGE, section, text)
